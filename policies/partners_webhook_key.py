"""The key our webhooks to partners are signed with: partners verify with every key of a list, so that none is lost."""

from rotation.policy import Consumer, Fact, Freeze, Policy, Target, Window

# Partners deploy a new list of keys within a working day; a day more for one that was closed.
_OVERLAP_S = 48 * 3_600
# The partner's replicas have the new list after ten minutes.
_WARM_UP_S = 600
# Senders change over within seconds of the event; one that was restarting needs a minute.
_SENDER_S = 60
# A sender that has not answered after four hours is looked at by a person of the next shift.
_ACKNOWLEDGE_S = 4 * 3_600

PARTNERS_WEBHOOK_KEY = Policy(
    name="partners/webhook-key",
    store="vault",
    path="keyturn/partners/webhook-key",
    credential="webhook-signing-key",
    cadence="rate(60 days)",
    window=Window(opens=9, hours=6, days=("MON", "TUE", "WED")),
    freezes=(Freeze(first="12-18", last="01-06", why="partners deploy nothing over the turn of the year"),),
    warm_up_s=_WARM_UP_S,
    overlap_s=_OVERLAP_S,
    target=Target(
        facts={"url": Fact("webhooksUrl"), "endpoint": "partners", "direction": "send"},
        authority="keyturn/authority/webhooks",
    ),
    consumers=(Consumer(name="webhook-sender", kind="client", lead_s=_SENDER_S, role=Fact("webhookSender")),),
    invalidate=("redis", "rq"),
    acknowledge_s=_ACKNOWLEDGE_S,
    # what leaves the house by webhook and by export goes to the same customers: never both at a time
    group="outbound",
    # calls are authenticated before they are signed: the token first, when both are due
    parent="partners/api-token",
    triggers=("leak",),
    owner="partners",
    runbook="docs/runbooks/rotation.md",
)
