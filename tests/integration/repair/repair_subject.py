"""One credential under repair: its store and target from outside, the hands of others, and what well means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from repair_stores import Aws, Google, Store, Vault
from repair_targets import Postgres, Target, TokenService, Verifier
from runs_credentials import API_TOKEN, POSTGRES, SIGNING_KEY, Credential
from runs_stack import Ended, Stack, until
from runs_stores import AwsReader, GoogleReader, Reader, Seen, VaultReader
from runs_targets import ACCEPTED


@dataclass(frozen=True, kw_only=True)
class Subject:
    """`store`, `target`: the hands of somebody else."""

    stack: Stack
    credential: Credential
    reader: Reader
    store: Store
    target: Target

    @property
    def name(self) -> str:
        return self.credential.name

    @property
    def head(self) -> dict[str, Any]:
        return self.stack.head(self.name)

    @property
    def live(self) -> Seen:
        return self.reader.live()

    def says(self, text: str) -> str:
        """What the target says to a credential: `accepted`, or how it refuses."""
        return self.credential.show(self.stack.facts, text)

    def stranger(self) -> str:
        """A credential that Keyturn never made and the target does not know."""
        return self.stack.remember(self.target.stranger(self.live.text))

    def rotate(self) -> Ended:
        """A rotation that has to succeed."""
        ended = self.stack.rotate(self.name)
        assert ended.status == "SUCCEEDED", (ended.error, ended.run["failure"])
        return ended

    def settled(self) -> Subject:
        """With a current version, a version before it, and no open overlap."""
        for _ in range(2 - self._rotations()):
            self.stack.settle(self.name)
            self.rotate()
        self.stack.settle(self.name)
        return self

    def _rotations(self) -> int:
        """Of two each target has both its places used."""
        runs = self.stack.verb("history", secret=self.name)
        return sum(run["machine"] == "rotate" and run["status"] == "succeeded" for run in runs)

    def stopped_before_promotion(self) -> str:
        """The id of a run whose execution somebody aborted: staged, applied and tested, not promoted.

        Call it where the policy's warm-up leaves the time.
        """
        started = self.stack.begin("rotate", self.name)
        until(lambda: self.tested(started["run_id"]), f"the test of {self.name}")
        self.abort(started)
        return started["run_id"]

    def tested(self, run_id: str) -> bool | None:
        """Whether a run has shown its candidate to the target; None until then."""
        said = self.stack.ask("run", run_id=run_id)
        steps = said["result"]["steps"] if said["ok"] else []
        return any(step["step"] == "test" and step["outcome_at"] for step in steps) or None

    def gave_up(self, started: dict[str, str]) -> bool | None:
        """Whether a function of the execution ended with an error; None until then."""
        states = self.stack.aws("stepfunctions")
        events = states.get_execution_history(executionArn=started["execution"])["events"]
        return any(event["type"] in {"TaskFailed", "LambdaFunctionFailed"} for event in events) or None

    def abort(self, started: dict[str, str]) -> None:
        """StopExecution, as somebody does in the console."""
        states = self.stack.aws("stepfunctions")
        states.stop_execution(executionArn=started["execution"], error="Aborted", cause="by hand")
        assert states.describe_execution(executionArn=started["execution"])["status"] == "ABORTED"

    def check_well(self) -> None:
        """One current version, which the target accepts; nothing pending, no claim; and it can be rotated again."""
        self.check_current()
        self.stack.settle(self.name)
        before = self.live
        self.rotate()
        self.check_current()
        self.stack.settle(self.name)
        assert self.says(before.text) == self.credential.refusal

    def check_current(self) -> None:
        """What holds at the end of every run."""
        head, live = self.head, self.live
        assert (head["run_id"], head["leftover"]) == ("", "")
        assert head["current"]["id"] == live.version
        assert self.says(live.text) == ACCEPTED
        assert self.store.pendings() == []


@contextmanager
def subject(stack: Stack, credential: Credential) -> Iterator[Subject]:
    """The credential in hand; its connections end with it."""
    with secret_at(stack, credential, "") as (reader, store):
        target = _TARGETS[credential.name](stack)
        yield Subject(stack=stack, credential=credential, reader=reader, store=store, target=target)


@contextmanager
def secret_at(stack: Stack, credential: Credential, name: str) -> Iterator[tuple[Reader, Store]]:
    """A secret in the credential's store, by the store's own name for it; without one the credential itself."""
    at, kind = _PLACES[credential.name]
    reader, store = kind(stack, name or at)
    with closing(reader):
        yield reader, store


def _aws(stack: Stack, name: str) -> tuple[Reader, Store]:
    reader = AwsReader(stack, name)
    return reader, Aws(stack, reader, name)


def _vault(stack: Stack, name: str) -> tuple[Reader, Store]:
    reader = VaultReader(stack, name)
    return reader, Vault(reader)


def _google(stack: Stack, name: str) -> tuple[Reader, Store]:
    reader = GoogleReader(stack, name)
    return reader, Google(stack, reader, SIGNING_KEY.name)


_PLACES: dict[str, tuple[str, Callable[[Stack, str], tuple[Reader, Store]]]] = {
    POSTGRES.name: ("payments/postgres", _aws),
    API_TOKEN.name: ("partners/api-token", _vault),
    SIGNING_KEY.name: ("analytics-signing-key", _google),
}
_TARGETS: dict[str, Callable[[Stack], Target]] = {
    POSTGRES.name: Postgres,
    API_TOKEN.name: TokenService,
    SIGNING_KEY.name: Verifier,
}
