"""The bearer token partners are called with: the token service keeps two slots, so that old and new overlap."""

from rotation.policy import Consumer, Fact, Freeze, Policy, Target

# Partners' gateways cache the token for an hour; four leave room for one that was down.
_OVERLAP_S = 4 * 3_600
_GATEWAY_CACHE_S = 3_600
# The token service's replicas agree within half a minute.
_WARM_UP_S = 30

PARTNERS_API_TOKEN = Policy(
    name="partners/api-token",
    store="vault",
    path="keyturn/partners/api-token",
    credential="bearer-token",
    cadence="rate(7 days)",
    freezes=(Freeze(first="12-24", last="12-26", why="partners have nobody on call"),),
    warm_up_s=_WARM_UP_S,
    overlap_s=_OVERLAP_S,
    target=Target(
        facts={"url": Fact("tokenServiceUrl"), "account": "keyturn", "slots": "a b"},
        authority="keyturn/authority/token-service",
    ),
    # the gateways' login at Vault, by its display name: whoever else reads it is taken for a person
    readers=("jwt-partner-gateway",),
    consumers=(Consumer(name="partner-gateway", kind="poll", lead_s=_GATEWAY_CACHE_S),),
    # a partner's administrator may replace the token by hand: the next rotation starts from that one
    on_outside_change="adopt",
    triggers=("leak", "human-read"),
    owner="partners",
    runbook="docs/runbooks/rotation.md",
)
