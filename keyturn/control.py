"""The verbs of the control function, typed; and the port through which they are asked.

Everything the command knows of a stack comes through here: it starts runs and reads, and control does the rest. The
port is a protocol, so that a test answers in the function's place. Not here: AWS (`cloud`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from keyturn.answers import Execution, Run, RunInFull, Standing, Started
from rotation.errors import KeyturnError, NotFound, Refused

T = TypeVar("T")

# Verbs that change nothing: they may be repeated, and `plan` may use them.
READS = frozenset({"status", "history", "run"})


class ControlPort(Protocol):
    """How control is reached."""

    def ask(self, verb: str, fields: dict[str, Any]) -> dict[str, Any]:
        """The function's answer to `{"verb": verb, **fields}`, as it gave it: `{ok, result}` or `{ok, reason, ...}`.

        Raises Denied, Throttled, Unavailable, NotFound `stack_not_deployed`.
        """
        ...

    def execution(self, arn: str) -> Execution:
        """What the machine says of an execution; reads only. Raises as `ask`."""
        ...


class Control:
    """The control function of one stack; `requester` says who starts runs here."""

    def __init__(self, port: ControlPort, requester: Callable[[], str]) -> None:
        self._port = port
        self._requester = requester

    def rotate(self, secret: str, reason: str) -> Started:
        """Start a rotation. Refused `unknown_secret`."""
        return self._start("rotate", secret, reason)

    def retire(self, secret: str, reason: str) -> Started:
        """Start the end of an overlap; the run itself is refused by its gate when the overlap is not over."""
        return self._start("retire", secret, reason)

    def status(self, secrets: Sequence[str]) -> list[Standing]:
        """Where the named secrets stand, all of them when none is named. Refused `unknown_secret`."""
        return self._asked("status", Standing.model_validate, secrets=list(secrets))

    def history(self, secret: str) -> list[Run]:
        """The secret's runs, oldest first. Refused `unknown_secret`."""
        return self._asked("history", Run.model_validate, secret=secret)

    def run(self, run_id: str) -> RunInFull | None:
        """One run with its steps; None when the ledger does not know it (yet)."""
        try:
            return _parsed(RunInFull.model_validate, self._ask("run", run_id=run_id))
        except KeyturnError as exc:
            if exc.reason == "run_unknown":
                return None
            raise

    def execution(self, arn: str) -> Execution:
        """What the machine says of an execution, for a run that the ledger does not know or know the end of."""
        return self._port.execution(arn)

    def _start(self, verb: str, secret: str, reason: str) -> Started:
        fields = {"secret": secret, "reason": reason, "requested_by": self._requester()}
        return _parsed(Started.model_validate, self._ask(verb, **fields))

    def _asked(self, verb: str, parse: Callable[[Any], T], **fields: Any) -> list[T]:
        return [_parsed(parse, item) for item in self._ask(verb, **fields)]

    def _ask(self, verb: str, **fields: Any) -> Any:
        answer = self._port.ask(verb, fields)
        if answer.get("ok") is True:
            return answer["result"]
        return _refuse(answer)


def _refuse(answer: dict[str, Any]) -> Any:
    """Raise what control said in its own words: the class tells only what the command branches on."""
    said = {name: str(answer.get(name, "")) for name in ("reason", "message", "remedy")}
    if not said["reason"]:
        raise _not_understood()
    kind = NotFound if said["reason"] == "run_unknown" else Refused
    raise kind(said["reason"], said["message"], said["remedy"])


def _parsed(parse: Callable[[Any], T], item: Any) -> T:
    try:
        return parse(item)
    except ValidationError:
        # the library's message quotes what it was given
        raise _not_understood() from None


def _not_understood() -> Refused:
    return Refused(
        "answer_not_understood",
        "the control function answered what this version of the command does not understand",
        "deploy the stack from this checkout, or use the checkout that it was deployed from",
    )
