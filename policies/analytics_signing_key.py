"""The Ed25519 key analytics signs its tokens with: verifiers accept several keys by id, so that old and new overlap."""

from rotation.policy import Fact, Policy, Target

# Readers of the alias may lag by hours (Google's consistency notes), and tokens live for an hour beyond that.
_OVERLAP_S = 24 * 3_600
# Verifiers fetch the list of keys every minute.
_WARM_UP_S = 60

ANALYTICS_SIGNING_KEY = Policy(
    name="analytics/signing-key",
    store="gcp",
    path="analytics-signing-key",
    credential="signing-key",
    cadence="rate(90 days)",
    warm_up_s=_WARM_UP_S,
    overlap_s=_OVERLAP_S,
    target=Target(
        facts={"url": Fact("verifierUrl"), "issuer": "analytics", "audience": "analytics-api"},
        authority="keyturn-authority-verifier",
    ),
    readers=(Fact("analyticsReader"),),
    owner="analytics",
    runbook="docs/runbooks/rotation.md",
)
