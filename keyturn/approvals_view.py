"""Runs that wait for a person, as the command knows and says them: who asked, why, and what has changed in the policy.

What has changed is found here, from the two documents that control answers with: those of the run and of the last run
that was agreed to. Not here: answering (`commands.approvals`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from keyturn.answers import Answer
from keyturn.approval_answer import Approval
from keyturn.console import moment, table
from keyturn.policy_diff import Change, changes
from keyturn.remedies import at

# Enough of a digest to tell it from its neighbours.
_SHORT = 12


class Last(Answer):
    """What was agreed to last for the secret."""

    run_id: str
    digest: str
    by: str
    at: datetime


class Waiting(Approval):
    """One that waits, with the document of its policy, and of the one that was agreed to last.

    channel: where the stack tells approvers, "" for nowhere; None of a function that does not say.
    """

    document: str = ""
    last: Last | None = None
    last_document: str = ""
    channel: str | None = None

    @property
    def diff(self) -> list[Change]:
        """What differs between the two policies; nothing where none was ever agreed to."""
        if not (self.document and self.last_document):
            return []
        return changes([json.loads(self.last_document)], [json.loads(self.document)])


def as_document(one: Waiting) -> dict[str, object]:
    """For programs: the differences in words instead of the documents."""
    said = one.model_dump(mode="json", exclude={"document", "last_document"})
    return {**said, "changes": [str(change) for change in one.diff]}


def waiting_table(waiting: Sequence[Waiting], stack: str) -> RenderableType:
    """One line a run, and below each what has changed and the commands that answer."""
    if not waiting:
        return Text("no run waits for approval")
    shown = table("", "credential", "run", "asked by", "reason", "may agree", "until")
    for one in waiting:
        agree = ", ".join(one.approvers)
        shown.add_row(one.secret, one.run_id, one.requested_by, one.reason, agree, moment(one.expires_at))
    return Group(shown, *(line for one in waiting for line in _lines(one, stack)))


def _lines(one: Waiting, stack: str) -> list[Text]:
    answer = f"keyturn approvals approve {one.run_id} --reason WHY{at(stack)}"
    changed = [Text(""), Text(_changed(one)), *(Text(f"  {change}") for change in one.diff)]
    return [*changed, *(Text(f"  {said}") for said in _untold(one)), Text(f"  yes: {answer}")]


def _untold(one: Waiting) -> list[str]:
    """What to do where no message told the approvers of it."""
    if one.told or one.channel is None:
        return []
    why = f"the message to {one.channel} was not taken" if one.channel else "the stack names no `slackSecret`"
    return [f"no approver was told: {why}; tell one"]


def _changed(one: Waiting) -> str:
    policy = f"{one.secret}: policy {one.digest[:_SHORT]}"
    if one.last is None:
        return f"{policy}, and none was ever approved: `keyturn policy show {one.secret}` shows it whole"
    before = f"the one that {one.last.by} approved on {moment(one.last.at)}"
    if one.digest == one.last.digest:
        return f"{policy} is {before}"
    return f"{policy} differs from {before}:"
