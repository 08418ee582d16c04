"""AWS's four-step RotateSecret contract, served by the same steps as the machines' phases.

Source: AWS Secrets Manager user guide, rotation function overview. The event is `{Step, SecretId, ClientRequestToken}`;
the token is the run's id and the version's. The service repeats the whole process after a failure, so each step is
idempotent; what must hold before a step (rotation enabled, the token staged) is checked as AWS's templates do. A token
that is current already is done, except where `finishSecret` moved the label and died before the run was recorded.
The overlap that `finishSecret` opens is ended by the machine `retire`, as after any rotation.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from rotation.catalogue import Catalogue
from rotation.control.records import record
from rotation.environment import Bench
from rotation.errors import NotFound, Refused
from rotation.event_fields import text
from rotation.handlers.store_phases import StoreFunction
from rotation.ledger.ledger import Ledger
from rotation.ledger.records import Run
from rotation.phases import Outcome, Phase, Where
from rotation.policy import Policy
from rotation.stores.aws import CURRENT, PENDING, AwsStore, RotationState

_LOG = logging.getLogger("keyturn")
_STEPS = {"createSecret": "stage", "setSecret": "apply", "testSecret": "test", "finishSecret": "promote"}
_LAST_STEP = "finishSecret"
# The tag by which the program says which policy a secret follows.
POLICY_TAG = "keyturn:policy"
_EXECUTION = "native:"


def is_native(event: object) -> bool:
    """Whether the event is one of Secrets Manager's."""
    return isinstance(event, Mapping) and "Step" in event and "ClientRequestToken" in event


class NativeRotation:
    """Answers Secrets Manager's events with the store function's own context and steps."""

    def __init__(self, function: StoreFunction[AwsStore], catalogue: Callable[[Bench], Catalogue]) -> None:
        self._function = function
        self._catalogue = catalogue

    def handle(self, event: Mapping[str, Any], request_id: str) -> None:
        """One step. Raises what failed: Secrets Manager then repeats the process and reports RotationFailed."""
        token, step, secret_id = text(event, "ClientRequestToken"), text(event, "Step"), text(event, "SecretId")
        if step not in _STEPS:
            raise Refused("unknown_step", "the event names no step of the RotateSecret contract")
        self._function.bind(run_id=token, request_id=request_id)
        bench = self._function.bench()
        state = self._function.store(bench).rotation_state(secret_id)
        if _must_work(state, token):
            _own(bench.ledger, self._catalogue(bench), state, token)
        elif step != _LAST_STEP or not _is_unrecorded(bench.ledger, token):
            _LOG.info("step is done already", extra={"fields": {"step": step}})
            return
        self._walk(bench, token, step)

    def _walk(self, bench: Bench, token: str, step: str) -> None:
        phase = Phase(name=step, where=Where.STORE, steps=(_STEPS[step],))
        answer = self._function.walk(self._function.context(bench, token), phase)
        if answer["outcome"] != Outcome.PASSED:
            raise Refused(answer["reason"], f"the step {step} did not pass", "look with `keyturn history`")
        if step == _LAST_STEP:
            record(bench.ledger, token)


def _must_work(state: RotationState, token: str) -> bool:
    """The templates' guard: False when the token is current already; Refused when the event cannot be right."""
    if not state.enabled:
        raise Refused("rotation_not_enabled", "rotation is not enabled for this secret", "enable it in the program")
    labels = state.labels.get(token)
    if labels is None:
        raise Refused("token_unknown", "the token names no version of this secret")
    if CURRENT in labels:
        return False
    if PENDING not in labels:
        raise Refused("token_not_pending", "the token's version is not staged as AWSPENDING")
    return True


def _is_unrecorded(ledger: Ledger, token: str) -> bool:
    """Whether the token's run has no end yet: its overlap is not open, and nothing would retire the old credential."""
    try:
        run, _ = ledger.run(token)
    except NotFound:
        # made current without us, such as a secret's first value
        return False
    return run.status == "running"


def _own(ledger: Ledger, catalogue: Catalogue, state: RotationState, token: str) -> None:
    """Claim the secret for this token, once; a machine's run keeps it, a dead native one gives it up."""
    try:
        ledger.run(token)
    except NotFound:
        policy = catalogue.policy(state.tags.get(POLICY_TAG, state.name))
        _claim(ledger, policy, token)


def _claim(ledger: Ledger, policy: Policy, token: str) -> None:
    head = ledger.head(policy.name)
    if head.run_id and not head.execution.startswith(_EXECUTION):
        raise Refused("claim_held", f"a run of {policy.name} is under way", "wait for it")
    if head.overlap:
        raise Refused("overlap_open", f"the overlap of {policy.name} is open until {head.overlap.retire_at}", "wait")
    run = Run(
        run_id=token,
        secret=policy.name,
        machine="rotate",
        epoch=head.epoch,
        execution=_EXECUTION + token,
        function="native",
        policy=policy.document(),
        policy_digest=policy.digest(),
        reason="native rotation",
        requested_by="secretsmanager.amazonaws.com",
        started_at=ledger.now(),
        current=head.current,
        pending_token=head.pending_token,
        leftover=head.leftover,
    )
    ledger.claim(head, run)
