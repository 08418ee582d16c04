"""What to do next, by reason: the last sentence of everything that was refused, stopped or failed.

Commands in it can be copied as they are: they name the secret, the run and the stack. A remedy that control gave goes
first; this table speaks where a run ended with a slug alone. Not here: what a reason means (docs/runbooks).
"""

from __future__ import annotations

from dataclasses import dataclass

from keyturn.stack import LOCAL
from rotation.phases import Back

_RESUME = "`keyturn resume {run} --reason WHY{at}` goes on"
_BACK = "`keyturn rollback {name} --reason WHY{at}`"
_LOOK = "`keyturn status {name}{at}` shows what is under way"
_REPAIR = "`keyturn repair {name}{at}` says what is left and the one safe action"
_CLOSE_FIRST = (
    "`keyturn overlap close {name} --reason WHY{at}` ends it now, `keyturn status {name}{at}` says when it ends"
)

REMEDIES: dict[str, str] = {
    # what stops runs
    "kill_switch": "`keyturn kill-switch show{at}` says who and why; repeat it when that is released",
    "switch_unreadable": "it counts as engaged: docs/runbooks/kill-switch.md says how to make it readable",
    "frozen": "wait, lift it with `keyturn unfreeze {name} --reason WHY{at}`, or rotate with --break-glass",
    "report_only": "`keyturn report-only off --reason WHY{at}`, or rotate with --break-glass",
    "switch_changed": "look at it and say it again: `keyturn kill-switch show{at}`",
    # overlaps
    "overlap_open": "wait until the old credential is retired: " + _CLOSE_FIRST,
    "overlap_not_over": _CLOSE_FIRST,
    "no_open_overlap": "`keyturn history {name}{at}` says when the old credential was retired",
    "bad_extension": "name a shorter length: an overlap ends at most 90 days from now, e.g. --by 24h",
    "overlap_ending": "its old credential may be dead already: " + _REPAIR,
    "not_acknowledged": "`keyturn consumers {name}{at}` shows who is missing; docs/runbooks/acknowledgements.md",
    # claims and runs
    "claim_held": f"wait until the run that holds it has ended: {_LOOK}",
    "claim_lost": f"another run was faster: {_LOOK}",
    "run_unfinished": "`keyturn status {name}{at}` names the run, and the commands that go on with it or undo it",
    "cannot_undo": "`keyturn resume {run} --reason WHY{at}` goes on with it",
    "ledger_restored": "`keyturn repair --all{at}` compares it with the stores; docs/runbooks/ledger-restored.md",
    "head_changed": "somebody else changed it meanwhile: look again and repeat",
    "run_ended": "nothing is left to go on with: `keyturn history {name}{at}` shows how it ended",
    "run_unknown": "`keyturn status{at}` shows halted runs, `keyturn history NAME{at}` every run of a secret",
    "undo_asked": "somebody undid it: `keyturn history {name}{at}` says who and why",
    "undone": "the old credential is current: rotate again when the reason for it is gone",
    # what holds a start
    "outside_window": "`keyturn plan {name}{at}` says when it may start; `--emergency` and `--break-glass` pass it",
    "frozen_by_policy": "`keyturn plan {name}{at}` says when it may start; `--emergency` and `--break-glass` pass it",
    "group_held": "wait until the other member's run has ended: `keyturn status{at}`; `--break-glass` passes it",
    "parent_due": "rotate its parent first, which `keyturn policy show {name}` names; `--break-glass` passes it",
    # approval
    "approval_unknown": "`keyturn approvals{at}` lists the runs that wait",
    "approval_expired": "nobody answered in time and nothing was done: rotate again, and tell an approver",
    "already_answered": "`keyturn history {name} --run {run}{at}` says how it was answered",
    "policy_changed": "`keyturn approvals deny {run} --reason WHY{at}`, then rotate again by the new policy",
    "denied": "nothing was done: `keyturn history {name}{at}` names the run; ask whoever denied it",
    "window_closed": "nothing was done: `keyturn plan {name}{at}` says when it may start again",
    "not_an_approver": "ask somebody with a role that the policy names: `keyturn policy show {name}`",
    "requester_cannot_approve": "ask another approver",
    # going back
    "nothing_to_roll_back": "`keyturn rotate {name}{at}` makes a new credential, which leaves the present one",
    "old_leaked": "nothing leads back to a leaked credential: `keyturn rotate {name}{at}` makes a new one",
    "beyond_horizon": "nothing is left to go back to: `keyturn rotate {name}{at}` makes a new one",
    # proofs
    "old_alive": "the old credential still opens the target: docs/runbooks/old-alive.md, then " + _REPAIR,
    "old_unproven": "the target gave no clear answer: " + _REPAIR + "; docs/runbooks/rotation.md#old_unproven",
    "new_unproven": "nothing was revoked: " + _REPAIR + "; docs/runbooks/rotation.md#new_unproven",
    "new_not_accepted": "nothing was revoked: " + _REPAIR + "; docs/runbooks/rotation.md#new_not_accepted",
    "old_refused": "nothing changed, the target does not take it: `keyturn rotate {name}{at}` makes a new one",
    "pending_accepted": "the target accepts it, so it was left: " + _REPAIR,
    "readers_not_on_new": "nothing was revoked: " + _REPAIR,
    # repair
    "diagnosis_changed": "look again: `keyturn repair {name}{at}` shows what is found now",
    "nothing_to_mend": "`keyturn repair {name}{at}` shows what is found now",
    "undecidable": "`keyturn repair {name}{at}` prints the commands that would decide; docs/runbooks/repair.md",
    # the endpoint
    "unauthenticated": "call the endpoint with AWS credentials that may: `keyturn doctor{at}` looks at them",
}

# The same where a run holds its claim: asking for another one would be refused.
_OF_A_HALTED_RUN: dict[str, str] = {
    "frozen": "wait, or lift it with `keyturn unfreeze {name} --reason WHY{at}`",
    "report_only": "`keyturn report-only off --reason WHY{at}`",
}
_THROUGH = "; `keyturn resume {run} --break-glass --reason WHY{at}` takes the run through it now"

# Verbs that refuse to run without a reason.
_WITH_REASON = frozenset({"resume", "rollback", "overlap", "kill-switch", "freeze", "unfreeze", "report-only"})
# What broke without a record of its own: the machine's words, e.g. `execution_timed_out`.
_DIED = "execution_"


# Where nobody knows which secret is meant: its name, never a value.
_SOME_SECRET = "NAME"  # noqa: S105  # a placeholder


@dataclass(frozen=True, kw_only=True)
class About:
    """What a remedy is about; placeholders for people where it is not known."""

    secret: str = _SOME_SECRET
    run_id: str = "RUN"
    stack: str = LOCAL
    runbook: str = ""
    status: str = ""
    # of a run that was halted
    way_out: Back = Back.UNDONE


def at(stack: str) -> str:
    """The option that names a stack, where a command needs it."""
    return "" if stack == LOCAL else f" --stack {stack}"


def runnable(command: str, stack: str) -> str:
    """A command that control named, as it can be run here: with a reason where its verb wants one, and the stack."""
    words = command.split()
    if words[:1] != ["keyturn"]:
        return command
    reason = " --reason WHY" if words[1:2] and words[1] in _WITH_REASON and "--reason" not in words else ""
    return f"{command}{reason}{'' if '--stack' in words else at(stack)}"


def filled(text: str, about: About) -> str:
    """A remedy's text with the names in it."""
    return text.format(name=about.secret, run=about.run_id, at=at(about.stack))


def remedy(reason: str, about: About) -> str:
    """What to do about `reason`; for one without words of its own the run's steps, and the runbook."""
    if about.status == "halted" and reason in _OF_A_HALTED_RUN:
        said = filled(_OF_A_HALTED_RUN[reason], about)
        return f"{said}; then {go_on(about)}{filled(_THROUGH, about)}"
    if reason in REMEDIES:
        said = filled(REMEDIES[reason], about)
    elif reason.startswith(_DIED):
        said = filled("its execution ended without a record: " + _REPAIR, about)
    else:
        runbook = f"; then {about.runbook}" if about.runbook else ""
        said = filled("`keyturn history {name}{at}` shows its steps; " + _REPAIR, about) + runbook
    if about.status == "stuck":
        return filled("the sweep goes on undoing it; " + _REPAIR + " does it now", about)
    return f"{said}; then {go_on(about)}" if about.status == "halted" else said


def go_on(about: About) -> str:
    """The commands that go on with a halted run: resume, and what takes it back, where anything does."""
    back = f", {_BACK} {about.way_out}" if about.way_out else ""
    return filled(_RESUME + back, about)


def general(reason: str) -> str:
    """What to do about a refusal that brought no remedy and no names; empty where nothing is known."""
    return filled(REMEDIES[reason], About()) if reason in REMEDIES else ""
