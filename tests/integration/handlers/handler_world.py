"""What a test of handlers works with: the handlers, plain clients beside them, and names of its own."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hvac
import pulumi

from sandbox.facts import Credentials, Facts
from sandbox.handlers import registry
from sandbox.handlers.aws_calls import AwsClients
from sandbox.handlers.contract import Handler, Handlers, Invokes, Properties
from sandbox.handlers.vault import connect

# what a zip writes when it is told no time: the archive is the same in every run
_NO_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class World:
    """`own` makes a name unique to the test, `make` another resource that the tested one needs."""

    facts: Facts
    credentials: Credentials
    handlers: Handlers
    invokes: Invokes
    clients: AwsClients
    vault: hvac.Client
    prefix: str = ""

    @classmethod
    def on(cls, facts: Facts, credentials: Credentials) -> World:
        return cls(
            facts=facts,
            credentials=credentials,
            handlers=registry.handlers(facts, credentials),
            invokes=registry.invokes(facts, credentials),
            clients=AwsClients(facts),
            vault=connect(facts, credentials),
        )

    def close(self) -> None:
        self.vault.adapter.close()

    def named(self, prefix: str) -> World:
        return replace(self, prefix=prefix)

    def own(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def handler(self, token: str) -> Handler:
        return self.handlers[token]

    def aws(self, service: str) -> Any:
        return self.clients.of(service)

    def make(self, token: str, name: str = "needed", /, **inputs: Any) -> Properties:
        """Outputs of a new resource, with its id."""
        id_, outputs = self.handlers[token].create(self.own(name), inputs)
        return {**outputs, "id": id_}

    def bucket(self) -> str:
        return str(self.make("aws:s3/bucket:Bucket", forceDestroy=True)["bucket"])

    def queue(self, name: str = "queue") -> Properties:
        return self.make("aws:sqs/queue:Queue", name)

    def key(self, name: str = "key") -> Properties:
        return self.make("aws:kms/key:Key", name)

    def secret(self) -> str:
        return str(self.make("aws:secretsmanager/secret:Secret", recoveryWindowInDays=0)["arn"])

    def role(self) -> Properties:
        return self.make("aws:iam/role:Role", assumeRolePolicy=document("sts:AssumeRole"))

    def function(self, tmp_path: Path, answer: str = "one") -> Properties:
        return self.make("aws:lambda/function:Function", **self.function_inputs(tmp_path, answer))

    def function_inputs(self, folder: Path, answer: str) -> Properties:
        return {
            "role": f"arn:aws:iam::{self.facts.aws_account_id}:role/any",
            "runtime": "python3.11",
            "handler": "code.handle",
            "code": archive(folder, answer),
            "publish": True,
        }


def archive(folder: Path, answer: str) -> pulumi.FileArchive:
    """A zip of a function that answers one word."""
    path = folder / f"{answer}.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        code = f"def handle(event, context):\n    return {answer!r}\n"
        zipped.writestr(zipfile.ZipInfo("code.py", _NO_TIME), code)
    return pulumi.FileArchive(str(path))


def document(action: str, **more: Any) -> str:
    """A policy document of one statement."""
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


def action_of(policy: Any) -> str:
    """The action of such a document, as a service gives it back."""
    found = json.loads(policy) if isinstance(policy, str) else policy
    return str(found["Statement"][0]["Action"])
