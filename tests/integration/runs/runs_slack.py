"""A receiver on this machine that stands for Slack, and a stack that is told of it as an operator would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from runs_stack import PREFIX, Stack

SECRET = "keyturn/authority/slack"
# Part of the address, which nobody but Slack may see.
MARKER = "T0-marker-of-the-webhook"
_CONTROL = f"{PREFIX}-control"


@dataclass
class Slack:
    """What was posted, by path; `status` is what it answers."""

    said: list[tuple[str, str]] = field(default_factory=list)
    status: int = 200

    def of(self, run_id: str) -> list[str]:
        """The messages about a run."""
        return [text for _, text in self.said if run_id in text]


@contextmanager
def slack_of(stack: Stack) -> Iterator[Slack]:
    """The receiver, its address in the stack's secret, and the secret's name in control's environment."""
    slack = Slack()
    with _served(slack) as port:
        secrets = stack.aws("secretsmanager")
        secrets.create_secret(Name=SECRET, SecretString=f"http://127.0.0.1:{port}/services/{MARKER}")
        _configured(stack, SECRET)
        try:
            yield slack
        finally:
            _configured(stack, "")
            secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)


@contextmanager
def _served(slack: Slack) -> Iterator[int]:
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            slack.said.append((self.path, body["text"]))
            self.send_response(slack.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Not into the test's output."""

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def _configured(stack: Stack, secret: str) -> None:
    client = stack.aws("lambda")
    variables = client.get_function_configuration(FunctionName=_CONTROL)["Environment"]["Variables"]
    environment = {"Variables": {**variables, "KEYTURN_SLACK_SECRET": secret}}
    client.update_function_configuration(FunctionName=_CONTROL, Environment=environment)
    version = client.publish_version(FunctionName=_CONTROL)["Version"]
    client.update_alias(FunctionName=_CONTROL, Name="live", FunctionVersion=version)
