"""The password of the payments service at its PostgreSQL: two users take turns, so that old and new overlap."""

from rotation.policy import Consumer, Fact, Freeze, Policy, Target, Window

# A deployment of the payments service takes up to half an hour; a day leaves room for one that is rolled back.
_OVERLAP_S = 24 * 3_600
# The connection pools' health check looks every minute.
_WARM_UP_S = 60
# Instances read the password when a pool opens a connection, and pools renew theirs within an hour.
_POOL_S = 3_600
# The longest migration that the deployment job runs with the password it began with.
_JOB_S = 2 * 3_600

PAYMENTS_POSTGRES = Policy(
    name="payments/postgres",
    store="aws",
    path="payments/postgres",
    credential="postgres-alternating",
    cadence="rate(30 days)",
    # the quiet hours of the payments team's working days
    window=Window(opens=8, hours=4, days=("MON", "TUE", "WED", "THU")),
    freezes=(
        Freeze(first="11-20", last="12-02", why="the busiest days of the year"),
        Freeze(first="12-18", last="01-06", why="nobody is there to look"),
    ),
    warm_up_s=_WARM_UP_S,
    overlap_s=_OVERLAP_S,
    target=Target(
        facts={
            "host": Fact("postgresHost"),
            "port": Fact("postgresPort"),
            "tls": Fact("postgresTls"),
            "database": "payments",
            "users": "payments_app_a payments_app_b",
            "group": "payments_app",
        },
        authority="keyturn/authority/payments-postgres",
    ),
    readers=(Fact("paymentsReader"),),
    consumers=(
        Consumer(name="payments-service", kind="poll", lead_s=_POOL_S, role=Fact("paymentsReader")),
        Consumer(name="migrations", kind="ci", lead_s=_JOB_S),
    ),
    triggers=("leak", "human-read", "offboarding"),
    owner="payments",
    runbook="docs/runbooks/rotation.md",
)
