"""AWS's own schedule keeps no days of a window, and a policy that leaves the schedule to it may name none."""

from __future__ import annotations

import pytest
from policy_bench import ABILITIES, CIRCUMSTANCES
from policy_examples import NIGHT, native

from policy_rules.check import check_policies
from rotation.policy import Window


@pytest.mark.parametrize("days", [(), ("TUE",)], ids=["every day", "one day"])
def test_a_window_of_some_days_is_refused_where_the_store_keeps_the_schedule(days: tuple[str, ...]) -> None:
    policy = native(window=Window(opens=NIGHT.opens, hours=NIGHT.hours, days=days))
    found = [one.field for one in check_policies([policy], ABILITIES, CIRCUMSTANCES) if one.rule == "scheduler-native"]
    assert found == (["window"] if days else [])
