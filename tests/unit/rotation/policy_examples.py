"""A good and a bad example of the rules about names, places and schedules; the others are in `policy_examples_more`."""

from __future__ import annotations

from dataclasses import replace

from policy_bench import HOUR, PATHS, Example, policy

from rotation.policy import Freeze, Policy, Window

NIGHT = Window(opens=2, hours=4)
YEAR = Freeze(first="01-01", last="12-31", why="closed")
TURN = Freeze(first="12-20", last="01-05", why="nobody is there")


def frozen(first: str, last: str, why: str = "closed") -> Policy:
    return policy(freezes=(Freeze(first=first, last=last, why=why),))


def native(**changes: object) -> Policy:
    return policy(**{"cadence": "cron(0 2 1 * ? *)", "scheduler": "native"} | changes)


def google(path: str) -> Policy:
    return policy("gcp", path=f"projects/p/secrets/{path}")


def vault(path: str) -> Policy:
    return policy("vault", path=path)


EXAMPLES = {
    "blanks": Example("name-form", policy(), policy(name="pay ments"), "name", "is not group/name"),
    "climbing name": Example("name-form", policy(name="a/b"), policy(name="../b"), "name", "is not group/name"),
    "no owner": Example("owner-missing", policy(), policy(owner=" "), "owner", "blank"),
    "no runbook": Example("runbook-missing", policy(), policy(runbook=""), "runbook", "blank"),
    "lost runbook": Example("runbook-missing", policy(), policy(runbook="docs/none.md"), "runbook", "does not exist"),
    "store": Example("store-unknown", policy(), policy(store="azure"), "store", "names the store azure"),
    "kind": Example("credential-unknown", policy(), policy(credential="pigeon"), "credential", "kind pigeon"),
    "zip": Example("credential-unknown", policy(), policy(credential="elsewhere"), "credential", "does not ship"),
    "circle of authority": Example(
        "authority-is-secret", policy(), policy(authority=PATHS["aws"]), "target.authority", "the secret itself"
    ),
    "no authority": Example(
        "place-form",
        policy(authority="", credential="nowhere", overlap_s=0),
        policy(authority=""),
        "target.authority",
        "is not a secret's name",
    ),
    "aws name": Example("place-form", policy(path="a/b_c+d=e.f@g-h"), policy(path="pay*"), "path", "a secret's name"),
    "aws arn": Example("place-form", policy(), policy(path="arn:aws:s:r:1:secret:x"), "path", "a secret's name"),
    "aws length": Example("place-form", policy(path="a" * 512), policy(path="a" * 513), "path", "longer than 512"),
    "google id": Example("place-form", google("a_B-1"), google("a.b"), "path", "has not the id"),
    "google length": Example("place-form", google("a" * 255), google("a" * 256), "path", "has not the id"),
    "google version": Example("place-form", google("a"), google("a/versions/1"), "path", "not a secret of"),
    "vault mount": Example("place-form", vault("m/token"), vault("token"), "path", "has no mount"),
    "vault segment": Example("place-form", vault("m/a"), vault("m//a"), "path", "is not a plain path"),
    "vault wildcard": Example("place-form", vault("m/a"), vault("m/a/+"), "path", "is not a plain path"),
    "vault climbing": Example("place-form", vault("m/.a"), vault("m/../a"), "path", "is not a plain path"),
    "vault api": Example("place-form", vault("m/a/data"), vault("m/data/a"), "path", "the API's `data/`"),
    "vault pending": Example("place-form", vault("m/a"), vault("m/pending/a"), "path", "candidates wait"),
    "words": Example("cadence-form", policy(), policy(cadence="weekly"), "cadence", "weekly is neither"),
    "off the hour": Example(
        "cadence-form",
        policy(cadence="cron(0 8 1 * ? *)"),
        policy(cadence="cron(5 8 1 * ? *)"),
        "cadence",
        "another minute than 0",
    ),
    "both days": Example(
        "cadence-form", policy(), policy(cadence="cron(0 8 1 * MON *)"), "cadence", "needs ? in one of"
    ),
    "three hours": Example(
        "cadence-too-often",
        policy(cadence="rate(4 hours)", overlap_s=HOUR),
        policy(cadence="rate(3 hours)", overlap_s=HOUR),
        "cadence",
        "every four hours: AWS Secrets Manager",
    ),
    "below google's hour": Example(
        "cadence-too-often",
        policy("gcp", cadence="rate(9 hours)", overlap_s=4 * HOUR),
        policy("gcp", cadence="rate(59 minutes)", overlap_s=4 * HOUR),
        "cadence",
        "Google Secret Manager takes no rotation period below an hour",
    ),
    "below the version quota": Example(
        "cadence-too-often",
        policy(),
        policy(cadence="rate(14 minutes)"),
        "cadence",
        "loses current ones below 14.4 minutes",
    ),
    "hour": Example(
        "window-form", policy(window=NIGHT), policy(window=Window(opens=24, hours=1)), "window.opens", "24"
    ),
    "past midnight": Example(
        "window-form",
        policy(window=Window(opens=20, hours=4)),
        policy(window=Window(opens=21, hours=4)),
        "window.hours",
        "within the UTC day",
    ),
    "empty window": Example(
        "window-form", policy(window=NIGHT), policy(window=Window(opens=1, hours=0)), "window.hours", "does not end"
    ),
    "day": Example(
        "window-form",
        policy(window=Window(opens=2, hours=4, days=("MON",))),
        policy(window=Window(opens=2, hours=4, days=("MOM",))),
        "window.days",
        "MOM is no day",
    ),
    "day twice": Example(
        "window-form",
        policy(window=Window(opens=2, hours=4, days=("MON", "TUE"))),
        policy(window=Window(opens=2, hours=4, days=("MON", "MON"))),
        "window.days",
        "twice",
    ),
    "no such day": Example("freeze-form", frozen("02-28", "02-29"), frozen("02-30", "03-01"), "freezes", "no days"),
    "mixed": Example("freeze-form", frozen("2026-12-20", "2027-01-05"), frozen("2026-12-20", "01-05"), "freezes", "no"),
    "backwards": Example(
        "freeze-form", frozen("12-20", "01-05"), frozen("2027-01-05", "2026-12-20"), "freezes", "runs backwards"
    ),
    "without why": Example("freeze-form", frozen("12-20", "12-31"), frozen("12-20", "12-31", ""), "freezes", "say why"),
    "always frozen": Example(
        "window-unreachable", policy(freezes=(TURN,)), policy(freezes=(YEAR,)), "window", "on no day"
    ),
    "frozen for years to come": Example(
        "window-unreachable",
        replace(frozen("2030-01-01", "2030-01-21"), cadence="rate(30 days)"),
        frozen("2030-01-01", "2032-06-01"),
        "window",
        "due on 2030-01-01 can start on no day",
    ),
    "rare window": Example(
        "window-too-rare",
        policy(cadence="rate(8 days)", window=Window(opens=2, hours=4, days=("SUN",))),
        policy(cadence="rate(6 days)", window=Window(opens=2, hours=4, days=("SUN",))),
        "window",
        "stays closed for 164 h, and rate(6 days) comes due within 6 d",
    ),
    "longer freeze": Example(
        "window-too-rare",
        replace(frozen("12-20", "01-05"), cadence="rate(18 days)"),
        replace(frozen("12-20", "01-05"), cadence="rate(17 days)"),
        "freezes",
        "12-20 to 01-05 holds for 17 d, and rate(17 days) comes due sooner",
    ),
    "freeze from a leap day": Example(
        "window-too-rare",
        replace(frozen("02-29", "03-05"), cadence="rate(7 days)"),
        replace(frozen("02-29", "03-07"), cadence="rate(7 days)"),
        "freezes",
        "holds for 8 d",
    ),
    "native elsewhere": Example(
        "scheduler-native", native(), policy("vault", scheduler="native"), "scheduler", "no schedule that calls"
    ),
    "native freeze": Example("scheduler-native", native(), native(freezes=(TURN,)), "freezes", "is not kept by"),
    "native window": Example(
        "scheduler-native",
        native(window=NIGHT),
        native(window=Window(opens=3, hours=4)),
        "window",
        "does not open with the cadence's hour",
    ),
}
