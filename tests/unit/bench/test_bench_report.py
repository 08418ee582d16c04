"""The report: ratios and costs of what was measured, marked where a price is unverified, and nothing of the machine."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from bench_samples import SECRET, counted, measured

from bench.prices import PRICES
from bench.report import report
from bench.tables import cost_tables
from bench.written import markdown, write
from rotation.errors import Refused


@pytest.mark.parametrize("lost", ["counted", "warm"])
def test_a_report_of_no_rotation_fails(lost: str) -> None:
    found = measured()
    nothing = (
        replace(found, counted=[])
        if lost == "counted"
        else replace(found, timed=replace(found.timed, warm=(), cold=()))
    )
    with pytest.raises(Refused) as refused:
        report(nothing)
    assert refused.value.reason == "nothing_rotated"


def test_times_are_told_as_multiples_of_a_bare_round_trip() -> None:
    times = report(measured())["timed"]["credentials"][SECRET]["rotate"]
    # 1.4 s less 1.0 s of waiting, by a median of 10 ms
    assert times["busy_to_bare"] == {"median": 40.0, "least": 40.0, "most": 40.0, "n": 1}
    assert times["asked_to_bare"]["median"] == 5.0
    assert times["shares"] == {"prepare": 0.75, "between states": 0.25}


def test_a_cold_invocation_is_compared_with_the_same_phase_warm() -> None:
    cold = report(measured())["timed"]["cold_to_warm"]
    assert cold["aws: prepare"] == {"cold_ms": 900, "warm_ms": 100, "ratio": 9.0}
    assert cold["aws: retire"]["ratio"] == 9.0


def test_a_life_costs_both_its_runs_and_the_processor_time_of_the_cold_ones() -> None:
    bill = report(measured())["cost"]["credentials"][SECRET]
    lines = {line["kind"]: line for line in bill["lines"]}
    assert (lines["states.transition"]["count"], lines["lambda.request"]["count"]) == (24_000, 4_000)
    # two invocations of 100 ms and two of 900 ms at half a gigabyte
    assert lines["lambda.gb_second"]["count"] == pytest.approx(1_000)
    assert bill["dearest"] == "states.transition"


def test_calls_stand_beside_the_floor_of_the_store() -> None:
    life = report(measured())["counted"][SECRET]
    assert (life["calls"], life["floor"]) == ({"read": 4, "write": 2}, {"writes": 2, "reads": 4})
    assert life["varied"] == []


def test_a_count_that_differs_between_rounds_is_named() -> None:
    found = measured()
    uneven = [*found.counted[:2], counted("rotate", **{"s3.get": 1.0}), found.counted[3]]
    document = report(replace(found, counted=uneven))
    assert document["counted"][SECRET]["varied"] == ["s3.get"]
    assert "Not the same in every round: s3.get" in markdown(document)


def test_every_unverified_price_is_marked_where_it_is_used() -> None:
    found = measured()
    everything = {kind.value: 1.0 for kind in PRICES}
    document = report(replace(found, counted=[counted("rotate", **everything), counted("retire", **everything)]))
    bill, prices = cost_tables(document)
    marked = {row[0].removesuffix(" (unverified)") for row in bill.rows if row[0].endswith("(unverified)")}
    assert marked == {kind.value for kind, price in PRICES.items() if not price.verified}
    assert {row[0] for row in prices.rows if row[-1] == "no"} == marked
    assert 0 < document["cost"]["credentials"][SECRET]["unverified_share"] < 1


def test_the_files_keep_what_is_counted_apart_from_what_is_timed_and_name_no_machine(tmp_path: Path) -> None:
    write(report(measured()), tmp_path)
    document = json.loads((tmp_path / "rotation.json").read_text(encoding="utf-8"))
    text = (tmp_path / "rotation.md").read_text(encoding="utf-8")
    assert set(document) == {"date", "counted", "cost", "timed"}
    assert text.index("## Counted") < text.index("## Cost") < text.index("## Timed")
    for word in (socket.gethostname(), str(tmp_path), "127.0.0.1", str(Path.home()) + "/"):
        assert word not in text
        assert word not in json.dumps(document)
