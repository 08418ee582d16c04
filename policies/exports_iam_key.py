"""The access key of the export job at a customer's tool that takes no role: the user may have two, so both overlap."""

from rotation.policy import Approval, Consumer, Fact, Freeze, Policy, Target, Waiver, Window

# A working day, in which an uploader that did not change over is found. The waiver says why it may be so short.
_OVERLAP_S = 8 * 3_600
# The nightly export keeps the key that it began with.
_EXPORT_S = 10 * 3_600
# IAM shows a new key everywhere within minutes.
_WARM_UP_S = 300
_UPLOADER_S = 60
# The uploader looks for events between two files, which may be an hour apart.
_ACKNOWLEDGE_S = 2 * 3_600
# Whoever is on duty answers within a working day, or the window is over anyway.
_APPROVAL_S = 8 * 3_600

EXPORTS_IAM_KEY = Policy(
    name="exports/iam-key",
    store="aws",
    path="exports/iam-key",
    credential="aws-iam-access-key",
    # the second Wednesday of the month, between two exports
    cadence="cron(0 13 ? * WED#2 *)",
    window=Window(opens=13, hours=8, days=("WED", "THU")),
    freezes=(Freeze(first="2027-03-29", last="2027-04-09", why="the customer closes its books"),),
    approval=Approval(approvers=("exports-lead", "security-duty"), expires_s=_APPROVAL_S),
    warm_up_s=_WARM_UP_S,
    overlap_s=_OVERLAP_S,
    # Keyturn's own function may change this user's keys and nobody else's: there is no authority
    target=Target(facts={"user": "keyturn-exports"}, authority=""),
    readers=(Fact("exportsReader"),),
    consumers=(
        Consumer(name="uploader", kind="client", lead_s=_UPLOADER_S, role=Fact("exportsReader")),
        Consumer(name="nightly-export", kind="ci", lead_s=_EXPORT_S),
    ),
    invalidate=("sqs",),
    acknowledge_s=_ACKNOWLEDGE_S,
    group="outbound",
    triggers=("leak", "human-read", "offboarding"),
    # AWS's own schedule would keep neither the freeze nor the approval
    scheduler="keyturn",
    owner="exports",
    runbook="docs/runbooks/rotation.md",
    waivers=(
        Waiver(
            rule="overlap-below-floor",
            why="the export's last two hours only pack what is uploaded already; it is being cut in two",
            owner="exports",
            expires="2027-06-30",
        ),
    ),
)
