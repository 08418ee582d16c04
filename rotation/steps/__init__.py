"""The steps of a run as plain functions, and the one registry that the table of phases names them by.

`intend` looks and decides, without an effect, and returns the intent that the ledger writes; `act` does the effect and
returns facts. Both may be repeated: a crash between intent and outcome is resolved by what `act` finds.
"""

from __future__ import annotations

from rotation.steps import prepare, promote, retire, undo
from rotation.steps.step import Step

STEPS: dict[str, Step] = {
    "stage": Step(intend=prepare.intend_stage, act=prepare.stage),
    "apply": Step(act=prepare.apply),
    "test": Step(act=prepare.test),
    "promote": Step(act=promote.promote, moves_current=True),
    "health": Step(act=promote.health),
    "witness": Step(act=retire.witness),
    "revoke": Step(act=retire.revoke),
    "prove": Step(act=retire.prove),
    "dispose": Step(act=retire.dispose),
    "restore": Step(act=undo.restore, undoes=True),
    "demote": Step(act=undo.demote, undoes=True, moves_current=True),
    "withdraw": Step(act=undo.withdraw, undoes=True),
    "abandon": Step(act=undo.abandon, undoes=True),
}
