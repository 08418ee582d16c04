"""A cadence is read as AWS writes it; the shortest pause between two rotations is what overlaps are compared with."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotation.cadence import shortest_pause_s

HOUR = 3_600
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("cadence", "pause"),
    [
        ("rate(4 hours)", 4 * HOUR),
        ("rate(1 day)", DAY),
        ("rate(999 days)", 999 * DAY),
        # hour steps start anew each day: 22 to 02
        ("cron(0 2/10 * * ? *)", 4 * HOUR),
        ("cron(0 4/12 * * ? *)", 12 * HOUR),
        ("cron(0 8,20 ? * MON *)", 12 * HOUR),
        ("cron(0 8 ? * MON-FRI *)", DAY),
        # the seventh day after the 29th, but one after the 31st
        ("cron(0 8 1/7 * ? *)", DAY),
        ("cron(0 0 ? * SUN#1 *)", 28 * DAY),
        ("cron(0 0 ? * 5L *)", 28 * DAY),
        ("cron(0 16 L * ? *)", 28 * DAY),
        ("cron(0 16 1,L JAN ? *)", 30 * DAY),
        ("cron(0 0 1 1 ? *)", 365 * DAY),
        ("cron(0 0 1 jan,jul ? *)", 181 * DAY),
    ],
)
def test_the_shortest_pause_is_found_on_the_calendar(cadence: str, pause: int) -> None:
    assert shortest_pause_s(cadence) == pause


@pytest.mark.parametrize(
    ("cadence", "said"),
    [
        ("rate(3 hours)", "more often"),
        ("rate(0 days)", "counts nothing"),
        ("rate(1000 days)", "999 days"),
        ("rate(5 minutes)", "neither"),
        ("rate(30 days) ", "neither"),
        # a digit, but none that EventBridge reads
        ("rate(\uff130 days)", "neither"),
        ("", "neither"),
        ("cron(0 8 * * ?)", "six fields"),
        ("cron(5 8 * * ? *)", "another minute"),
        ("cron(* 8 * * ? *)", "another minute"),
        ("cron(0 8 * * ? 2027)", "year"),
        ("cron(0 8 * * * *)", "needs ?"),
        ("cron(0 8 ? * ? *)", "needs ?"),
        ("cron(0 24 * * ? *)", "'24' among the hours"),
        ("cron(0 20-8 * * ? *)", "backwards"),
        ("cron(0 8/0 * * ? *)", "'8/0' among the hours"),
        ("cron(0 8 32 * ? *)", "days of the month"),
        ("cron(0 8 1 SMARCH ? *)", "'SMARCH' among the months"),
        ("cron(0 8 ? * MON,FOO *)", "'FOO' among the days of the week"),
        ("cron(0 8 ? * MON#6 *)", "days of the week"),
        ("cron(0 8 30 FEB ? *)", "never"),
        ("cron(0 1,2 * * ? *)", "more often"),
        ("cron(0 0,23 * * ? *)", "more often"),
    ],
)
def test_what_aws_would_refuse_is_refused_and_said(cadence: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("?", r"\?")):
        shortest_pause_s(cadence)


# the calendar is walked for seconds on a machine that is busy with other tests
@settings(deadline=None)
@given(st.text(max_size=40) | st.from_regex(r"(rate|cron)\([0-9A-Z*?,/#L -]{0,25}\)", fullmatch=True))
def test_any_text_is_a_pause_of_four_hours_or_more_or_a_value_error(cadence: str) -> None:
    pause = None
    with contextlib.suppress(ValueError):
        pause = shortest_pause_s(cadence)
    assert pause is None or pause >= 4 * HOUR
