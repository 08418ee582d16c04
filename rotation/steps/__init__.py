"""The steps of a run as plain functions, and the one registry that the table of phases names them by.

`intend` looks and decides, without an effect, and returns the intent that the ledger writes; `act` does the effect and
returns facts. Both may be repeated: a crash between intent and outcome is resolved by what `act` finds.
"""

from __future__ import annotations

from rotation.steps import mend, prepare, promote, replaced, retire, rollback, undo
from rotation.steps.publish import publishing
from rotation.steps.step import Step, by_nobody, by_target

STEPS: dict[str, Step] = {
    "stage": Step(intend=prepare.intend_stage, act=prepare.stage, fenced=by_nobody),
    "apply": Step(intend=replaced.intend_apply, act=prepare.apply, fenced=by_target),
    "test": Step(act=prepare.test),
    "promote": Step(act=promote.promote, moves_current=True, fenced=by_nobody),
    "publish": publishing("publish"),
    "health": Step(act=promote.health),
    "witness": Step(act=retire.witness),
    "revoke": Step(act=retire.revoke, fenced=by_target),
    "prove": Step(act=retire.prove),
    "dispose": Step(act=retire.dispose),
    "publish_retired": publishing("publish_retired"),
    "reinstate": Step(intend=replaced.intend_reinstate, act=rollback.reinstate, undoes=True, fenced=by_target),
    "retest": Step(act=rollback.retest, undoes=True),
    "revert": Step(act=rollback.revert, undoes=True, moves_current=True, fenced=by_nobody),
    "publish_reverted": publishing("publish_reverted", undoes=True),
    "forgo": Step(act=rollback.forgo, undoes=True, moves_current=True, fenced=by_target),
    "publish_forgone": publishing("publish_forgone", undoes=True),
    "clear": Step(act=mend.clear, undoes=True),
    "restore": Step(act=undo.restore, undoes=True, fenced=by_target),
    "demote": Step(act=undo.demote, undoes=True, moves_current=True, fenced=by_nobody),
    "publish_back": publishing("publish_back", undoes=True),
    "withdraw": Step(act=undo.withdraw, undoes=True, fenced=by_target),
    "abandon": Step(act=undo.abandon, undoes=True),
}
