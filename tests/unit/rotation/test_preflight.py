"""A preflight tells what a run would need and meet, from inside the store's function, and writes nothing anywhere."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import pytest
from function_world import FunctionWorld

from rotation.calls import Meter
from rotation.contract import Verdict
from rotation.control.due_rows import look_at
from rotation.control.preflight import preflight
from rotation.control.table import VERBS
from rotation.environment import Bench
from rotation.errors import Denied, Refused, Unavailable
from rotation.ledger.breaker import LedgerBreaker
from rotation.ledger.rows import Write
from rotation.policy import Consumer, Window
from rotation.probing import PROBE, Check, Subject
from rotation.routes import READ
from rotation.value import SecretValue
from tests.model.store import MemorySecret
from tests.model.world import NAME, POLICY, ModelCatalogue

STORE_WRITES = ("stage", "promote", "demote", "abandon", "dispose")
TARGET_WRITES = ("apply", "withdraw", "restore", "revoke")
LOOKS = ["ledger", "secret", "value", "target", "authority", "authority at target"]
MARKER = "marker-of-the-authority"


@pytest.fixture
def asked(functions: FunctionWorld, monkeypatch: pytest.MonkeyPatch) -> FunctionWorld:
    """A rotated secret whose authority can be read; its function reads the policy in the desk's catalogue."""
    authority = functions.server.secrets["authority"] = MemorySecret()
    authority.current = authority.add(SecretValue.of({"token": MARKER}))
    monkeypatch.setattr(functions.function, "catalogue", lambda _: functions.desk.catalogue)
    functions.desk.functions.subject = functions.function.subject  # type: ignore[attr-defined]
    return functions


def policy(functions: FunctionWorld, **changes: Any) -> None:
    """Deploy the policy changed."""
    functions.desk.catalogue.__init__({NAME: replace(POLICY, **changes)})  # type: ignore[misc]
    assert isinstance(functions.desk.catalogue, ModelCatalogue)


def checks(functions: FunctionWorld) -> dict[str, Check]:
    found: list[Check] = functions.function.handle({"phase": PROBE, "secret": NAME}, "q")["checks"]  # type: ignore[typeddict-item]
    assert [one["what"] for one in found] == LOOKS
    return {one["what"]: one for one in found}


def test_of_a_secret_that_is_well_every_check_is_passed_from_inside_the_function(asked: FunctionWorld) -> None:
    assert {one["ok"] for one in checks(asked).values()} == {True}
    said = preflight(asked.desk, NAME)
    assert [one["what"] for one in said["checks"]] == ["function", *LOOKS]
    assert MARKER not in repr(said)


def everything(functions: FunctionWorld) -> Any:
    """What the store and the target have."""
    secrets = {
        path: (one.current, one.pending, [value and value.fingerprint() for value in one.values])
        for path, one in functions.server.secrets.items()
    }
    return copy.deepcopy((secrets, functions.target.tokens, functions.target.generations, functions.target.effects))


def never(*_: object, **__: object) -> NoReturn:
    raise AssertionError("it writes")


def test_nothing_is_written_in_store_ledger_or_target(asked: FunctionWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaking(bench: Bench) -> Bench:
        return replace(bench, breaker=LedgerBreaker(asked.rows, asked.clock))

    bench = asked.bench
    monkeypatch.setattr(asked.function, "bench", lambda: breaking(bench()))
    before = everything(asked)
    subject = asked.function.subject

    def guarded(secret: str) -> Subject:
        made = subject(secret)
        for verb in STORE_WRITES:
            monkeypatch.setattr(made.store, verb, never)
        for verb in TARGET_WRITES:
            monkeypatch.setattr(made.issuer, verb, never)
        return made

    asked.desk.functions.subject = guarded  # type: ignore[attr-defined]
    monkeypatch.setattr(asked.rows, "write", never)
    for said in (Verdict.ACCEPTED, Unavailable("target_down", "no answer")):
        asked.target.broken["probe"] = said
        preflight(asked.desk, NAME)
    assert everything(asked) == before


class Down:
    """A store's server that does not answer."""

    def find(self, _: str) -> NoReturn:
        raise Unavailable("no_answer", "the store does not answer")


def test_a_provider_that_fails_in_a_preflight_is_not_counted_by_the_breaker(asked: FunctionWorld) -> None:
    written: list[Sequence[Write]] = []
    bench = Bench(ledger=asked.ledger, rows=asked.rows, meter=Meter(), breaker=LedgerBreaker(asked.rows, asked.clock))
    asked.function.bench = lambda: bench  # type: ignore[method-assign]
    asked.rows.write = written.append  # type: ignore[method-assign]
    subject = asked.function.subject

    def failing(secret: str) -> Subject:
        made = subject(secret)
        made.store._server = Down()  # type: ignore[attr-defined]
        return made

    asked.function.subject = failing  # type: ignore[method-assign]
    assert "no_answer" in checks(asked)["secret"]["says"]
    assert written == []


@pytest.mark.parametrize(
    ("spoil", "failed", "says"),
    [
        (lambda w: w.server.secrets.pop(NAME), {"secret": False, "value": None, "target": None}, "not declared"),
        (lambda w: w.server.secrets.pop("authority"), {"authority": False, "authority at target": None}, "declared"),
        (lambda w: w.target.broken.update(probe=Verdict.REFUSED), {"target": False}, "refuses what readers get"),
        (lambda w: w.target.broken.update(probe=Verdict.UNPROVEN), {"target": False}, "no verdict"),
        (lambda w: w.target.broken.update(check=Verdict.UNPROVEN), {"authority at target": False}, ""),
    ],
    ids=["shell gone", "authority gone", "refused", "unproven", "authority refused"],
)
def test_what_is_missing_is_told_with_a_remedy_and_hides_nothing_else(
    asked: FunctionWorld, spoil: Callable[[FunctionWorld], object], failed: dict[str, bool | None], says: str
) -> None:
    spoil(asked)
    found = checks(asked)
    assert {what: one["ok"] for what, one in found.items() if one["ok"] is not True} == failed
    first = found[next(iter(failed))]
    assert says in first["says"]
    assert first["remedy"] or "[" in first["says"]


def test_before_the_first_value_the_targets_answer_to_the_authority_is_asked_all_the_same(
    asked: FunctionWorld,
) -> None:
    asked.server.secrets[NAME] = MemorySecret()
    # a name of which the ledger knows nothing
    policy(asked, name="group/other")
    found = {what: one["ok"] for what, one in checks(asked).items()}
    assert (found["value"], found["target"], found["authority at target"]) == (None, None, True)


def test_the_policy_is_the_catalogues_and_never_the_events(asked: FunctionWorld) -> None:
    """Who may call the function cannot have values shown elsewhere."""
    with pytest.raises(Refused, match="unknown_secret"):
        asked.function.handle({"phase": PROBE, "secret": "no/such", "policy": POLICY.document()}, "q")
    policy(asked, store="another")
    with pytest.raises(Refused, match="wrong_function"):
        asked.function.handle({"phase": PROBE, "secret": NAME}, "q")


def test_a_function_that_gives_no_answer_is_a_finding(asked: FunctionWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object) -> NoReturn:
        raise Denied("aws_denied", "AWS answered AccessDenied to Invoke")

    monkeypatch.setattr(asked.desk.functions, "probe", silent)
    (only,) = preflight(asked.desk, NAME)["checks"]
    assert (only["what"], only["ok"]) == ("function", False)
    assert "aws_denied" in only["says"]
    assert only["remedy"]


def test_the_verb_is_one_of_those_that_change_nothing(asked: FunctionWorld) -> None:
    assert "probe" in READ
    assert VERBS["probe"](asked.desk, {"secret": NAME})["secret"] == NAME


def test_times_are_those_of_the_sweeps_row_and_reckoned_alike_before_it_has_one(asked: FunctionWorld) -> None:
    policy(asked, window=Window(opens=8, hours=4), warm_up_s=60)
    said = preflight(asked.desk, NAME)["when"]
    assert said["by"] == "policy"
    asked.ledger.enrolment.add([NAME], asked.ledger.now())
    look_at(asked.desk)
    swept = preflight(asked.desk, NAME)["when"]
    assert swept["by"] == "ledger"
    row = asked.ledger.agenda.of(NAME)
    assert row is not None
    assert (swept["starts_at"], swept["closes"]) == (row.due_at, row.closes)
    assert row.due_at[11:13] in {"08", "09", "10", "11"}
    assert said["starts_at"][11:13] in {"08", "09", "10", "11"}
    assert swept["overlap_until"] > swept["starts_at"] > swept["due_at"][:10]


def test_a_changed_policy_is_reckoned_anew_and_a_cadence_that_never_comes_has_no_times(asked: FunctionWorld) -> None:
    asked.ledger.enrolment.add([NAME], asked.ledger.now())
    look_at(asked.desk)
    policy(asked, cadence="rate(90 days)")
    assert preflight(asked.desk, NAME)["when"]["by"] == "policy"
    policy(asked, cadence="rate(0 days)")
    assert preflight(asked.desk, NAME)["when"]["starts_at"] == ""
    policy(asked, scheduler="native")
    assert preflight(asked.desk, NAME)["when"]["by"] == "native"


def test_it_tells_who_reads_the_secret_and_what_the_sweep_would_hold_it_for(asked: FunctionWorld) -> None:
    readers = (Consumer(name="app", kind="client", lead_s=0), Consumer(name="jobs", kind="ci", lead_s=7_200))
    policy(asked, consumers=readers, invalidate=("redis",), acknowledge_s=600)
    met = preflight(asked.desk, NAME)["meets"]
    assert [(one["name"], one["kind"], one["lead_s"]) for one in met["consumers"]] == [
        ("app", "client", 0),
        ("jobs", "ci", 7_200),
    ]
    assert (met["invalidate"], met["acknowledge_s"], met["blocked"]) == (["redis"], 600, "")
    asked.engage()
    assert preflight(asked.desk, NAME)["meets"]["blocked"] == "kill_switch"


def test_write_budgets_are_told_and_not_taken(asked: FunctionWorld) -> None:
    policy(asked, store="aws")
    first, second = (preflight(asked.desk, NAME)["meets"] for _ in range(2))
    (budget,) = first["budgets"]
    assert (budget["pool"], budget["left"]) == ("aws", budget["holds"] // 4 * 4)
    assert (first["budgets"], first["starts_ready"]) == (second["budgets"], second["starts_ready"])
    assert first["starts_ready"] > 0
