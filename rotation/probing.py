"""A preflight for `keyturn plan`: whether a run could work here now, asked from inside the store's function.

Each check is one thing that a run needs, seen with the very identity, network and authority that a run has. Reads and
logins only: nothing is written in store, ledger or target, and the circuit breaker is not told either. What cannot be
asked without writing is not asked, and `keyturn plan` says so: permissions to write, and the channels to consumers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict, TypeVar, cast

from rotation.calls import Meter
from rotation.context import Context, version_in
from rotation.contract import CredentialIssuer, Fence, SecretStore, Survey, Verdict, Version
from rotation.errors import KeyturnError
from rotation.handwork import VersionTeller, by_hand, current_of
from rotation.ledger.ledger import Ledger
from rotation.ledger.records import Head
from rotation.policy import Policy
from rotation.value import SecretValue

T = TypeVar("T")

# The phase by which control asks for a preflight.
PROBE = "probe"
# Rotations looked at, newest first, for the one that made the current version: rollbacks leave a few in between.
_RUNS_LOOKED_AT = 5
# What an issuer says that cannot ask its target about a credential without having it.
_BY_VALUE_ONLY = "by_value_only"


class Check(TypedDict):
    """One thing a run needs. `ok` is None where nothing can be asked, or where an earlier check is in the way."""

    what: str
    ok: bool | None
    says: str
    remedy: str


class Probed(TypedDict):
    """What the store's function answers."""

    outcome: str
    checks: list[Check]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is looked at. `authority` reads the credential that Keyturn itself needs at the target."""

    policy: Policy
    store: SecretStore
    issuer: CredentialIssuer
    authority: Callable[[], SecretValue]
    ledger: Ledger
    meter: Meter


def probe(subject: Subject) -> Probed:
    """Every check, in the order in which a run would need them; one that fails does not hide the others."""
    head, ledger = _asked("ledger", lambda: _ledger(subject))
    survey, secret = _asked("secret", lambda: _secret(subject, head))
    value, current = _asked("value", lambda: _value(subject, head, survey))
    _, accepted = _asked("target", lambda: _target(subject, value))
    held, authority = _asked("authority", lambda: _authority(subject))
    _, there = _asked("authority at target", lambda: _authority_there(subject, head, readable=bool(held)))
    return Probed(outcome="passed", checks=[ledger, secret, current, accepted, authority, there])


def _asked(what: str, ask: Callable[[], tuple[T, bool | None, str]]) -> tuple[T | None, Check]:
    try:
        found, ok, says = ask()
    except KeyturnError as exc:
        return None, Check(what=what, ok=False, says=f"{exc.message} [{exc.reason}]", remedy=exc.remedy)
    return found, Check(what=what, ok=ok, says=says, remedy=_REMEDIES[what] if ok is False else "")


_REMEDIES = {
    "ledger": "`keyturn doctor`",
    "secret": "apply the stack: the program declares the secret",
    "value": "`keyturn repair` looks at what the store has",
    "target": "`keyturn repair` says what is true; check that the target is up, and the policy's facts of it",
    "authority": "docs/bootstrap.md says where Keyturn's own credential comes from",
    "authority at target": "renew Keyturn's own credential (docs/bootstrap.md), and check the way to the target",
}


def _ledger(subject: Subject) -> tuple[Head, bool, str]:
    head = subject.ledger.head(subject.policy.name)
    return head, True, f"can be read; epoch {head.epoch}"


def _secret(subject: Subject, head: Head | None) -> tuple[Survey, bool, str]:
    if by_hand(subject.policy.credential):
        versions = cast("VersionTeller", subject.store).versions(subject.policy.ref)
        current = current_of(versions)
        return Survey(current=Version(id=current) if current else None), True, "its versions can be listed"
    survey = subject.store.survey(subject.policy.ref, head.current if head else None)
    count = len(survey.pendings)
    waits = f"; {count} pending: `keyturn repair {subject.policy.name}` says whose" if count else ""
    return survey, True, f"its shell can be read{waits}"


def _value(subject: Subject, head: Head | None, survey: Survey | None) -> tuple[SecretValue | None, bool | None, str]:
    if survey is None:
        return None, None, "not asked: the secret cannot be read"
    version = (head.current if head else None) or survey.current
    if by_hand(subject.policy.credential):
        return None, None, "not read: a person makes it, and no program needs it"
    if version is None:
        return None, None, "none yet: the first rotation makes it"
    return subject.store.read(subject.policy.ref, version), True, f"version {version.id} can be read"


def _target(subject: Subject, value: SecretValue | None) -> tuple[None, bool | None, str]:
    if not subject.issuer.capabilities.has_target:
        return None, None, "not applicable: nobody is asked whether the credential works"
    if value is None:
        return None, None, "not asked: there is no value to show"
    said = subject.issuer.probe(value)
    code = f" ({said.code})" if said.code else ""
    words = {
        Verdict.ACCEPTED: "answers, and accepts what readers get",
        Verdict.REFUSED: f"answers, and refuses what readers get{code}",
        Verdict.UNPROVEN: f"gave no verdict{code}: {said.detail}",
    }
    return None, said.verdict is Verdict.ACCEPTED, words[said.verdict]


def _authority(subject: Subject) -> tuple[bool, bool | None, str]:
    if not _needs_authority(subject):
        return False, None, "not applicable: the function acts with its own identity, or the target asks for none"
    subject.authority()
    return True, True, "Keyturn's own credential can be read"


def _needs_authority(subject: Subject) -> bool:
    able = subject.issuer.capabilities
    return able.has_target and not able.own_identity and bool(subject.policy.target.authority)


def _authority_there(subject: Subject, head: Head | None, *, readable: bool) -> tuple[None, bool | None, str]:
    """The issuer's own question as authority, without the credential: whether the target holds what a run applied."""
    if not subject.issuer.capabilities.has_target:
        return None, None, "not applicable"
    if not readable and _needs_authority(subject):
        return None, None, "not asked: Keyturn's own credential cannot be read"
    made = _made_current(subject, head) if head else None
    said = subject.issuer.check(made.public if made else {}, made.applied if made else Fence(run_id="", epoch=0))
    if said.verdict is Verdict.UNPROVEN:
        return None, None if said.code == _BY_VALUE_ONLY else False, f"{said.detail} [{said.code}]"
    differs = "; it holds something else than the last run applied" if made and said.verdict is Verdict.REFUSED else ""
    return None, True, f"accepted{differs}"


def _made_current(subject: Subject, head: Head) -> Context | None:
    """The run that made the current version, as its steps saw it; None for a first value, or one put from outside."""
    rotations = [run for run in subject.ledger.history(head.secret) if run.machine == "rotate"]
    for short in reversed(rotations[-_RUNS_LOOKED_AT:] if head.current else []):
        run, steps = subject.ledger.run(short.run_id)
        if version_in(steps.get("promote")) == head.current:
            return Context(
                run=run,
                policy=subject.policy,
                store=subject.store,
                issuer=subject.issuer,
                ledger=subject.ledger,
                meter=subject.meter,
                steps=steps,
            )
    return None
