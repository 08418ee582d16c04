"""The Ed25519 key analytics signs its tokens with: verifiers accept several keys by id, so that old and new overlap."""

from rotation.policy import Consumer, Fact, Policy, Target, Window

# Readers of the alias may lag by hours (Google's consistency notes), and tokens live for an hour beyond that.
_OVERLAP_S = 24 * 3_600
# Verifiers fetch the list of keys every minute.
_WARM_UP_S = 60
# The signers read the key once an hour.
_SIGNER_S = 3_600

ANALYTICS_SIGNING_KEY = Policy(
    name="analytics/signing-key",
    store="gcp",
    path="analytics-signing-key",
    credential="signing-key",
    # the first Tuesday of every quarter's first month, when the team plans its quarter
    cadence="cron(0 7 ? JAN,APR,JUL,OCT TUE#1 *)",
    window=Window(opens=7, hours=8, days=("TUE", "WED", "THU")),
    warm_up_s=_WARM_UP_S,
    overlap_s=_OVERLAP_S,
    target=Target(
        facts={"url": Fact("verifierUrl"), "issuer": "analytics", "audience": "analytics-api"},
        authority="keyturn-authority-verifier",
    ),
    readers=(Fact("analyticsReader"),),
    consumers=(Consumer(name="token-signer", kind="poll", lead_s=_SIGNER_S),),
    triggers=("leak", "offboarding"),
    owner="analytics",
    runbook="docs/runbooks/rotation.md",
)
