"""The bill of a thousand rotations: right on known counts, nothing left out of it, nothing made of nothing."""

from __future__ import annotations

import pytest

from bench import cost, prices
from bench.cost import bill, free, total
from bench.kinds import Kind
from bench.prices import FREE, PRICES
from rotation.errors import Refused


def test_known_counts_cost_what_the_price_list_says() -> None:
    counts = {"states.transition": 38.0, "lambda.request": 20.0, "lambda.gb_second": 5.0, "secretsmanager.call": 18.0}
    lines = {line.kind: line for line in bill(counts, 2)}
    assert lines["states.transition"].count == 19_000
    assert lines["states.transition"].dollars == pytest.approx(0.475)
    assert lines["lambda.request"].dollars == pytest.approx(0.002)
    assert lines["lambda.gb_second"].dollars == pytest.approx(2_500 * 0.0000166667)
    assert lines["secretsmanager.call"].dollars == pytest.approx(0.045)
    assert total(list(lines.values())) == pytest.approx(0.475 + 0.002 + 2_500 * 0.0000166667 + 0.045)


def test_the_dearest_part_comes_first_and_the_shares_make_a_whole() -> None:
    lines = bill({"lambda.request": 10.0, "states.transition": 19.0, "dynamodb.write_unit": 120.0}, 1)
    assert [line.kind for line in lines] == ["states.transition", "dynamodb.write_unit", "lambda.request"]
    assert sum(line.share for line in lines) == pytest.approx(1.0)
    assert lines[0].share == pytest.approx(0.475 / (0.475 + 0.075 + 0.002))


def test_every_counted_kind_has_a_price_or_is_said_to_be_free_and_not_both() -> None:
    assert set(PRICES) | set(FREE) == set(Kind)
    assert not set(PRICES) & set(FREE)
    assert all(price.dollars > 0 and price.source for price in PRICES.values())
    assert all(FREE.values())


def test_a_kind_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(Refused) as refused:
        bill({"states.transition": 1.0, "swf.request": 1.0}, 1)
    assert refused.value.reason == "unpriced_kind"
    assert "swf.request" in refused.value.message


def test_a_kind_whose_price_is_lost_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    left = {kind: price for kind, price in prices.PRICES.items() if kind is not Kind.S3_GET}
    monkeypatch.setattr(cost, "PRICES", left)
    with pytest.raises(Refused) as refused:
        bill({"states.transition": 1.0, "s3.get": 1.0}, 1)
    assert refused.value.reason == "unpriced_kind"


@pytest.mark.parametrize(("counts", "rotations"), [({"states.transition": 1.0}, 0), ({}, 1), ({"s3.get": 0.0}, 1)])
def test_there_is_no_bill_where_nothing_was_rotated(counts: dict[str, float], rotations: int) -> None:
    with pytest.raises(Refused) as refused:
        bill(counts, rotations)
    assert refused.value.reason == "nothing_rotated"


def test_what_is_free_is_counted_and_not_billed() -> None:
    counts = {"states.transition": 1.0, "vault.request": 7.0, "states.call": 0.0}
    assert [line.kind for line in bill(counts, 1)] == ["states.transition"]
    assert free(counts, 1) == {"vault.request": 7_000}
