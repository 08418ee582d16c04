"""The verbs of the control function, typed; and the port through which they are asked.

Everything the command knows of a stack comes through here: it starts runs and reads, and control does the rest. The
port is a protocol, so that a test answers in the function's place. Not here: AWS (`cloud`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from keyturn.answers import Closing, Consumers, Execution, Extended, GoingBack, Run, RunInFull, Standing, Started
from keyturn.approval_answer import Approval
from keyturn.approvals_view import Waiting
from keyturn.events_view import Sent, Undelivered
from keyturn.findings import Found, Mended
from keyturn.plan_answers import Preflight
from keyturn.reminder_view import Reminder
from keyturn.switch_state import Switch
from rotation.errors import KeyturnError, NotFound, Refused
from rotation.routes import READ

T = TypeVar("T")

# Verbs that change nothing: they may be repeated, and `plan` may use them.
READS = frozenset(READ)


class ControlPort(Protocol):
    """How control is reached."""

    def ask(self, verb: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Control's answer to a verb with these fields, as it gave it: `{ok, result}` or `{ok, reason, ...}`.

        Raises Denied, Throttled, Unavailable, Refused, NotFound `stack_not_deployed`.
        """
        ...

    def execution(self, arn: str) -> Execution:
        """What the machine says of an execution; reads only. Raises as `ask`."""
        ...


class Control:
    """The control function of one stack. Who asks is not said here: control takes it from the signed request."""

    def __init__(self, port: ControlPort) -> None:
        self._port = port

    def rotate(self, secret: str, reason: str, *, emergency: bool = False, break_glass: bool = False) -> Started:
        """Start a rotation; in an emergency control retires the old one at once, and ends an open overlap first.

        Refused `unknown_secret`, and in an emergency `claim_held`.
        """
        return self._start("rotate", secret, reason, emergency=emergency, break_glass=break_glass)

    def retire(self, secret: str, reason: str, *, break_glass: bool = False) -> Started:
        """Start the end of an overlap; the run itself is refused by its gate when the overlap is not over."""
        return self._start("retire", secret, reason, break_glass=break_glass)

    def overlap_close(
        self, secret: str, reason: str, *, break_glass: bool = False, unacknowledged: bool = False
    ) -> Closing:
        """End an open overlap now; `unacknowledged`: also where consumers still need it.

        Refused `no_open_overlap`, `claim_held`, `not_acknowledged`.
        """
        flags = _set(break_glass=break_glass, unacknowledged=unacknowledged)
        fields = {"secret": secret, "reason": reason, **flags}
        return _parsed(Closing.model_validate, self._ask("overlap_close", **fields))

    def overlap_extend(self, secret: str, reason: str, seconds: int) -> Extended:
        """Make an open overlap longer. Refused `no_open_overlap`, `claim_held`, `bad_extension`."""
        return _parsed(
            Extended.model_validate, self._ask("overlap_extend", secret=secret, reason=reason, seconds=seconds)
        )

    def rollback(self, secret: str, reason: str, agreed: Mapping[str, str], *, emergency: bool = False) -> GoingBack:
        """Undo an unfinished run, or go back to the version before, whichever was `agreed` (`{kind, run_id, ...}`).

        Refused `nothing_to_roll_back`, `old_leaked`, `beyond_horizon`, `claim_held`, and `diagnosis_changed` where it
        would be something else than that.
        """
        fields = {"secret": secret, "reason": reason, "agreed": dict(agreed), **_set(emergency=emergency)}
        return _parsed(GoingBack.model_validate, self._ask("rollback", **fields))

    def resume(self, run_id: str, reason: str, *, break_glass: bool = False) -> Started:
        """Let a halted run go on; `break_glass`: also through a freeze and report-only mode, to its end.

        Refused `run_ended`, `claim_held`, `claim_lost`, `run_unknown`.
        """
        flags = _set(break_glass=break_glass)
        return _parsed(Started.model_validate, self._ask("resume", run_id=run_id, reason=reason, **flags))

    def undelivered(self, secrets: Sequence[str]) -> list[Undelivered]:
        """What consumers have not been told yet, of all secrets when none is named. Refused `unknown_secret`."""
        return self._asked("undelivered", Undelivered.model_validate, secrets=list(secrets))

    def replay(self, secrets: Sequence[str], since: str = "") -> Iterator[Sent]:
        """Send events again, of all secrets when none is named, piece by piece. Refused `unknown_secret`."""
        after = ""
        while True:
            answer = self._ask("replay", secrets=list(secrets), since=since, after=after)
            for one in answer["sent"]:
                yield _parsed(Sent.model_validate, one)
            after = str(answer.get("next", ""))
            if not after:
                return

    def approvals(self) -> list[Waiting]:
        """The runs that wait for a person; reads only."""
        return self._asked("approvals", Waiting.model_validate)

    def approve(self, run_id: str, reason: str) -> Approval:
        """Let a run begin.

        Refused `approval_unknown`, `approval_expired`, `not_an_approver`, `requester_cannot_approve`,
        `policy_changed`, `already_answered`.
        """
        return _parsed(Approval.model_validate, self._ask("approve", run_id=run_id, reason=reason))

    def deny(self, run_id: str, reason: str) -> Approval:
        """End a run that waits. Refused as `approve`."""
        return _parsed(Approval.model_validate, self._ask("deny", run_id=run_id, reason=reason))

    def reminders(self) -> list[Reminder]:
        """What people have to change by hand; reads only."""
        return self._asked("reminders", Reminder.model_validate)

    def reminder_done(self, secret: str, version: str, reason: str) -> Approval:
        """Say that a person has made a version by hand.

        Refused `no_reminder`, `evidence_unknown`, `evidence_not_current`, `evidence_not_newer`, `already_answered`.
        """
        fields = {"secret": secret, "version": version, "reason": reason}
        return _parsed(Approval.model_validate, self._ask("reminder_done", **fields))

    def diagnose(self, secret: str) -> Found:
        """What store, target and ledger say of a secret; reads only."""
        return _parsed(Found.model_validate, self._ask("diagnose", secret=secret))

    def probe(self, secret: str) -> Preflight:
        """What a rotation would need and meet, seen from inside; reads only. Refused `unknown_secret`."""
        return _parsed(Preflight.model_validate, self._ask("probe", secret=secret))

    def mend(self, secret: str, digest: str, reason: str) -> Mended:
        """Do the action of the finding that `digest` names. Refused `diagnosis_changed`, `nothing_to_mend`."""
        return _parsed(Mended.model_validate, self._ask("mend", secret=secret, digest=digest, reason=reason))

    def switch(self) -> Switch:
        """What stops runs now; reads only. Refused `switch_unreadable`."""
        return self._switched("switch")

    def engage(self, reason: str) -> Switch:
        """No new effect is begun from now on."""
        return self._switched("engage", reason=reason)

    def release(self, reason: str) -> Switch:
        """New effects may begin again; what was halted stays so until somebody resumes it."""
        return self._switched("release", reason=reason)

    def report_only(self, reason: str, *, on: bool) -> Switch:
        """Runs report and change nothing, or change things again."""
        return self._switched("report_only", on=on, reason=reason)

    def emergency(self, scope: Mapping[str, Any], reason: str, *, break_glass: bool = False) -> dict[str, list[str]]:
        """Ask for the rotation of all in scope (`{secret}`, `{group}`, `{all}`): all pages of the answer.

        Returns `{asked, already, not_ours}`; a store's own schedule rotates what is not ours: nobody was asked for it.
        Refused `bad_scope`, `unknown_secret`, `unknown_group`, `native_scheduler`.
        """
        told: dict[str, list[str]] = {"asked": [], "already": [], "not_ours": []}
        page = dict(scope)
        while True:
            answer = self._ask("emergency", scope=page, reason=reason, **_set(break_glass=break_glass))
            for part in told:
                told[part] += answer[part]
            if not answer["next"]:
                return told
            page = {**scope, "after": answer["next"]}

    def freeze(self, secrets: Sequence[str], until: datetime, reason: str) -> Switch:
        """No run begins or goes on before `until`; no name means the whole stack."""
        written = f"{until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return self._switched("freeze", secrets=list(secrets), until=written, reason=reason)

    def unfreeze(self, secrets: Sequence[str], reason: str) -> Switch:
        """Lift the freezes of the named secrets; no name means the freeze of the whole stack."""
        return self._switched("unfreeze", secrets=list(secrets), reason=reason)

    def status(self, secrets: Sequence[str]) -> list[Standing]:
        """Where the named secrets stand, all of them when none is named. Refused `unknown_secret`."""
        return self._asked("status", Standing.model_validate, secrets=list(secrets))

    def consumers(self, secret: str) -> Consumers:
        """Who uses which version of the secret. Refused `unknown_secret`."""
        return _parsed(Consumers.model_validate, self._ask("consumers", secret=secret))

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

    def _switched(self, verb: str, **fields: Any) -> Switch:
        return _parsed(Switch.model_validate, self._ask(verb, **fields))

    def _start(self, verb: str, secret: str, reason: str, **flags: bool) -> Started:
        fields = {"secret": secret, "reason": reason, **_set(**flags)}
        return _parsed(Started.model_validate, self._ask(verb, **fields))

    def _asked(self, verb: str, parse: Callable[[Any], T], **fields: Any) -> list[T]:
        return [_parsed(parse, item) for item in self._ask(verb, **fields)]

    def _ask(self, verb: str, **fields: Any) -> Any:
        answer = self._port.ask(verb, fields)
        if answer.get("ok") is True:
            return answer["result"]
        return _refuse(answer)


def _set(**flags: bool) -> dict[str, bool]:
    """Only the flags that are set: a function of an earlier version knows none."""
    return {name: flag for name, flag in flags.items() if flag}


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
