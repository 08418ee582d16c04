"""AWS's four-step RotateSecret contract, served by the same steps as the machines' phases.

Source: AWS Secrets Manager user guide, rotation function overview. The event is `{Step, SecretId, ClientRequestToken}`;
the token is the run's id and the version's. The service repeats the whole process after a failure, so each step is
idempotent; what must hold before a step (rotation enabled, the token staged) is checked as AWS's templates do. A token
that is current already is done, except where `finishSecret` moved the label and died before the run was recorded: its
repetition records it, or else the next token does, before it is refused for the overlap that this opens. That overlap
is ended by the machine `retire`, as after any rotation.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from rotation.handlers import native_claims
from rotation.catalogue import Catalogue
from rotation.control.records import record
from rotation.environment import Bench
from rotation.errors import Refused
from rotation.event_fields import text
from rotation.handlers.store_phases import StoreFunction
from rotation.phases import Outcome, Phase, Where
from rotation.stores.aws import CURRENT, PENDING, AwsStore, RotationState

_LOG = logging.getLogger("keyturn")
_STEPS = {"createSecret": "stage", "setSecret": "apply", "testSecret": "test", "finishSecret": "promote"}
# Consumers are told in the invocation that promotes, as in the machine's phase.
_AND_TELL = {"finishSecret": ("publish",)}
_LAST_STEP = "finishSecret"
# The tag by which the program says which policy a secret follows.
POLICY_TAG = "keyturn:policy"


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
            self._own(bench, state, token)
        elif step != _LAST_STEP or not native_claims.unrecorded(bench.ledger, token):
            _LOG.info("step is done already", extra={"fields": {"step": step}})
            return
        self._walk(bench, token, step)

    def _own(self, bench: Bench, state: RotationState, token: str) -> None:
        """Claim the secret for this token, once."""
        if native_claims.known(bench.ledger, token):
            return
        policy = self._catalogue(bench).policy(state.tags.get(POLICY_TAG, state.name))
        current = [version for version, labels in state.labels.items() if CURRENT in labels]
        if before := native_claims.promoted_before(bench.ledger, policy.name, current):
            _LOG.warning("an earlier token was promoted and not recorded", extra={"fields": {"token": before}})
            self._walk(bench, before, _LAST_STEP)
        native_claims.claim(bench.ledger, bench.rows.identity(), policy, token)

    def _walk(self, bench: Bench, token: str, step: str) -> None:
        phase = Phase(name=step, where=Where.STORE, steps=(_STEPS[step], *_AND_TELL.get(step, ())))
        context = self._function.context(bench, token)
        # it is walked under the epoch that is seen here: who takes the run over from here on has another
        native_claims.check_own(context.run)
        answer = self._function.walk(context, phase)
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
