"""The login at the card processor's console, which no program may change: a person is reminded, and proves it."""

from rotation.policy import Freeze, Policy, Target, Window

BILLING_PROCESSOR_LOGIN = Policy(
    name="billing/processor-login",
    store="aws",
    path="billing/processor-login",
    credential="reminder",
    # on the fifteenth, when the month is closed
    cadence="cron(0 9 15 JAN,APR,JUL,OCT ? *)",
    # a reminder outside working hours is one that is forgotten
    window=Window(opens=9, hours=7, days=("MON", "TUE", "WED", "THU", "FRI")),
    freezes=(Freeze(first="12-20", last="01-03", why="the console is closed to changes"),),
    # one login: the old password ends when the new one is set
    warm_up_s=0,
    overlap_s=0,
    target=Target(facts={"console": "https://console.processor.example", "due_days": "14"}, authority=""),
    triggers=("offboarding",),
    owner="billing",
    runbook="docs/runbooks/reminder.md",
)
