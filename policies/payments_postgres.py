"""The password of the payments service at its PostgreSQL: two users take turns, so that old and new overlap."""

from rotation.policy import Fact, Policy, Target

# A deployment of the payments service takes up to half an hour; a day leaves room for one that is rolled back.
_OVERLAP_S = 24 * 3_600
# The connection pools' health check looks every minute.
_WARM_UP_S = 60

PAYMENTS_POSTGRES = Policy(
    name="payments/postgres",
    store="aws",
    path="payments/postgres",
    credential="postgres-alternating",
    cadence="rate(30 days)",
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
    owner="payments",
    runbook="docs/runbooks/rotation.md",
)
