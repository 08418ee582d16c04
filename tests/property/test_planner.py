"""The plan against a model that tries every rule on every rotation, one by one, without any cleverness."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rotation.ledger.due import Due
from rotation.ledger.moments import timestamp
from rotation.planning.plan import Facts, Plan, Pool, plan
from rotation.planning.spread import place

NOW = datetime(2026, 1, 2, 3, tzinfo=UTC)
NAMES = tuple(f"s/{i}" for i in range(7))
EXAMPLES = 150


def at(minutes: int) -> str:
    return timestamp(NOW + timedelta(minutes=minutes))


@st.composite
def dues(draw: st.DrawFn) -> Due:
    urgent = draw(st.booleans()) and draw(st.booleans())
    return Due(
        secret=draw(st.sampled_from(NAMES)),
        due_at=at(draw(st.integers(-3, 1))),
        since=at(draw(st.integers(-300, 0))),
        closes=draw(st.sampled_from(["", at(-1), at(0), at(1), at(60)])),
        not_before=draw(st.sampled_from(["", "", at(-1), at(1)])),
        store=draw(st.sampled_from(["aws", "gcp", "memory"])),
        group=draw(st.sampled_from(["", "", "g", "h"])),
        parent=draw(st.sampled_from(["", "", *NAMES, "elsewhere"])),
        name=draw(st.sampled_from(["", "", "", "execution"])),
        flags="emergency" if urgent else "",
        asked_at=at(draw(st.sampled_from([-90, -61, -60, -59, -9, -3, 0]))) if urgent else "",
    )


facts = st.builds(
    Facts,
    busy=st.dictionaries(st.sampled_from(["g", "h"]), st.sampled_from(NAMES), max_size=1),
    waiting=st.sampled_from([frozenset(), frozenset({"elsewhere"})]),
    running=st.sampled_from([frozenset(), frozenset({"elsewhere"}), frozenset({"s/1"})]),
    asked=st.sampled_from([frozenset(), frozenset({"elsewhere"})]),
    blocked=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["frozen", "claim_held"]), max_size=2),
    pools=st.dictionaries(
        st.sampled_from(["aws", "gcp"]), st.builds(Pool, ready=st.integers(0, 3), rate=st.just(2.0)), max_size=2
    ),
)
rows = st.lists(dues(), max_size=len(NAMES), unique_by=lambda due: due.secret)


def model(found: list[Due], known: Facts) -> dict[str, str]:
    """What becomes of each: the slot of its start, or a cause. One rotation at a time, most pressing first."""
    now, verdicts = timestamp(NOW), {}
    waiting = [due for due in found if not due.name]
    while waiting:
        due = min(waiting, key=lambda d: (0, d.asked_at, place(d.secret)) if d.flags else (1, d.since, place(d.secret)))
        waiting.remove(due)
        begun = [other for other in found if other.name or verdicts.get(other.secret, "") >= now]
        members = {known.busy.get(due.group, ""), *(one.secret for one in begun if one.group == due.group)}
        outside = not due.flags and (due.due_at > now or (due.closes != "" and now >= due.closes))
        ahead = sum(1 for one in begun if one.store == due.store and not one.name)
        pool = known.pools.get(due.store)
        late = 0.0 if pool is None or ahead < pool.ready else (ahead - pool.ready + 1) / pool.rate
        slot = timestamp(NOW + timedelta(seconds=late))
        rules = (
            (due.secret in known.blocked, known.blocked.get(due.secret, "")),
            (due.not_before > now, "pause"),
            (outside, "window"),
            (due.parent != due.secret and waits_for_parent(due, found, known), "parent"),
            (due.group != "" and not members <= {"", due.secret}, "group"),
            (not due.flags and due.closes != "" and slot >= due.closes, "budget"),
            (True, slot),
        )
        verdict = next(verdict for holds, verdict in rules if holds)
        # a cause sorts before every slot
        verdicts[due.secret] = verdict if verdict == slot else f" {verdict}"
    return verdicts


def waits_for_parent(due: Due, found: list[Due], known: Facts) -> bool:
    """For one that is due or runs; what leaked waits for one that runs, and an hour for one that leaked too."""
    for parent in found:
        if parent.secret == due.parent and not due.flags:
            return True
        if parent.secret == due.parent and parent.name:
            return True
        if parent.secret == due.parent and parent.flags and parent.not_before <= timestamp(NOW) and asked_lately(due):
            return True
    if due.flags:
        return due.parent in known.running or (due.parent in known.asked and asked_lately(due))
    return due.parent in known.waiting


def asked_lately(due: Due) -> bool:
    return NOW - datetime.fromisoformat(due.asked_at) < timedelta(minutes=60)


def told(made: Plan) -> dict[str, str]:
    starts = {start.due.secret: start.not_before for start in made.starts}
    return starts | {hold.due.secret: f" {hold.cause}" for hold in made.holds}


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
@given(rows, facts)
def test_the_plan_is_what_the_rules_say_one_by_one(found: list[Due], known: Facts) -> None:
    assert told(plan(found, known, timestamp(NOW))) == model(found, known)


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
@given(rows, facts, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_makes_no_difference(found: list[Due], known: Facts, random: object) -> None:
    shuffled = found[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert plan(shuffled, known, timestamp(NOW)) == plan(found, known, timestamp(NOW))


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
@given(rows, facts)
def test_every_rotation_that_waits_gets_a_slot_or_a_cause_and_no_two_share_a_group(
    found: list[Due], known: Facts
) -> None:
    made = plan(found, known, timestamp(NOW))
    verdicts = [one.due.secret for one in (*made.starts, *made.holds)]
    assert sorted(verdicts) == sorted(due.secret for due in found if not due.under_way)
    groups = [one.due.group for one in made.starts if one.due.group]
    assert len(groups) == len(set(groups))
    assert all(hold.cause for hold in made.holds)
