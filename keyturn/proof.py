"""Whether the record of a secret's last rotation proves it: phases in order, and the target's own answers.

Judges what the ledger recorded; it shows nothing to a target and reads no store. What that leaves open is `UNCHECKED`,
and is said with every answer.
"""

from __future__ import annotations

from keyturn.answers import Run, RunInFull, Standing
from keyturn.checks import Check, fail, ok, warn
from keyturn.console import moment
from keyturn.control import Control
from keyturn.timing import table_of
from rotation.phases import TELLING

UNCHECKED = (
    "that the target refuses the old credential at this moment: the proof says that it did when it was retired",
    "that nobody changed the record since: records are not chained and signed yet",
    "that consumers which do not acknowledge (kinds `poll` and `ci`) have taken the new credential",
)

# What consumers are told proves nothing, what they say is judged apart; neither is there where nobody is told.
_SOMETIMES = TELLING | {"acknowledge"}
_HISTORY = "`keyturn history {} --run {}` shows its steps"


def proof_checks(control: Control, standing: Standing) -> list[Check]:
    """The checks of the last rotation that succeeded, and of the retirement that belongs to it."""
    name = standing.secret
    runs = control.history(name)
    done = [run for run in runs if run.machine == "rotate" and run.status == "succeeded"]
    if not done:
        return [fail("rotation", f"{name} has no rotation that succeeded", f"`keyturn rotate {name}`")]
    rotation = _whole(control, done[-1].run_id)
    back = [run for run in runs if run.machine == "rollback" and run.status == "succeeded"]
    if back and back[-1].started_at > rotation.started_at:
        return [_rolled_back(back[-1])]
    checks = [_phases_in_order(rotation), _accepted_before_promotion(rotation), _policy(rotation, standing)]
    stage = rotation.step("stage")
    if stage and not stage.intent.get("from_version"):
        return [*checks, ok("retirement", "it made the first value: there was no old one to retire")]
    ends = [run for run in runs if run.machine == "retire" and run.overlap and run.overlap.run_id == rotation.run_id]
    succeeded = [run for run in ends if run.status == "succeeded"]
    if not succeeded:
        return [*checks, _not_retired(standing, [run.failure.get("reason", "") for run in ends])]
    retirement = _whole(control, succeeded[-1].run_id)
    return [*checks, _phases_in_order(retirement), *_acknowledged(retirement), *_refused_and_accepted(retirement)]


def _whole(control: Control, run_id: str) -> RunInFull:
    found = control.run(run_id)
    if found is None:
        raise AssertionError("history lists a run that the ledger does not have")
    return found


def _rolled_back(run: Run) -> Check:
    found = f"the last one was taken back by the run {run.run_id[:8]} at {moment(run.started_at)}: {run.reason}"
    return fail("rotation", found, f"`keyturn rotate {run.secret}` when the reason for it is gone")


def _phases_in_order(run: RunInFull) -> Check:
    wanted = [step for phase in table_of(run.machine) for step in phase.steps if step not in _SOMETIMES]
    passed = [step.step for step in run.steps if step.facts.get("outcome") == "passed" and step.step not in _SOMETIMES]
    name = f"{run.machine}: steps in order"
    if passed == wanted:
        return ok(name, f"{' -> '.join(wanted)}, run {run.run_id[:8]}")
    found = f"recorded: {' -> '.join(passed) or 'none'}; wanted: {' -> '.join(wanted)}"
    return fail(name, found, _HISTORY.format(run.secret, run.run_id[:8]))


def _accepted_before_promotion(run: RunInFull) -> Check:
    test, promote = run.step("test"), run.step("promote")
    name = "new accepted before promotion"
    if test is None or promote is None or test.facts.get("verdict") != "accepted":
        return fail(name, "the target's acceptance is not recorded", _HISTORY.format(run.secret, run.run_id[:8]))
    if test.outcome_at is None or test.outcome_at > promote.intent_at:
        return fail(name, "it was promoted before it was tested", _HISTORY.format(run.secret, run.run_id[:8]))
    return ok(name, f"accepted at {moment(test.outcome_at)}, promoted after it")


def _policy(run: RunInFull, standing: Standing) -> Check:
    if run.policy_digest == standing.policy.digest:
        return ok("policy", f"the catalogue's, {run.policy_digest[:8]}")
    found = f"it followed {run.policy_digest[:8]}, the catalogue has {standing.policy.digest[:8]} now"
    return fail("policy", found, f"rotate under the policy of today: `keyturn rotate {standing.secret}`")


def _acknowledged(run: RunInFull) -> list[Check]:
    """What consumers had said before the old credential was revoked; nothing where the policy waits for nobody."""
    heard = run.step("acknowledge")
    if heard is None:
        return []
    name, facts = "consumers have the new credential", heard.facts
    if not facts.get("missing"):
        return [ok(name, facts.get("consumers", ""))]
    found = f"{facts['missing']} had not; passed by {facts.get('passed_by', '-')}: {facts.get('why', '-')}"
    return [warn(name, found, f"`keyturn consumers {run.secret}` shows them now")]


def _not_retired(standing: Standing, reasons: list[str]) -> Check:
    overlap = standing.head.overlap
    tried = f"; tried {len(reasons)} times, last: {reasons[-1]}" if reasons else ""
    if overlap:
        found = f"the old credential is valid until {moment(overlap.retire_at)}{tried}"
        return warn("retirement", found, "the schedule retires it; then verify again")
    return fail("retirement", f"no retirement of the old credential is recorded{tried}", "see docs/runbooks")


def _refused_and_accepted(run: RunInFull) -> list[Check]:
    prove = run.step("prove")
    facts = prove.facts if prove else {}
    look = _HISTORY.format(run.secret, run.run_id[:8])
    witness = run.step("witness")
    before = witness.facts.get("old_verdict", "") if witness else ""
    wanted = (
        ("old accepted before the revoke", before, "accepted", ""),
        ("old refused", facts.get("old_verdict", ""), "refused", facts.get("old_code", "")),
        ("new accepted beside it", facts.get("new_verdict", ""), "accepted", facts.get("new_code", "")),
        ("proof", facts.get("proof", ""), "dead", ""),
    )
    checks = []
    for name, found, should, code in wanted:
        said = f"{found or 'not recorded'}{f' ({code})' if code else ''}"
        checks.append(ok(name, said) if found == should else fail(name, said, look))
    if not facts.get("old_code"):
        checks.append(fail("refusal code", "the target's own code is not recorded", look))
    return checks
