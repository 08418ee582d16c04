"""The document as tables: plain rows, which `show` and `written` put on a terminal and into a file alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.prices import FREE, PRICES

_UNVERIFIED = " (unverified)"
# Columns of the functions' meters, in the order in which they are shown.
_COLUMNS = ("write", "read", "login", "authority", "target", "ledger")
_MACHINES = ("rotate", "retire")


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of text under a title; `note` stands below."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def counted_tables(document: Mapping[str, Any]) -> list[Table]:
    """What is the same every time."""
    return [_calls(document["counted"]), _operations(document["counted"])]


def cost_tables(document: Mapping[str, Any]) -> list[Table]:
    """The bill, and the prices that it is made with."""
    return [_bill(document["cost"]), _prices()]


def timed_tables(document: Mapping[str, Any]) -> list[Table]:
    """What is of one machine and one day."""
    return [_times(document["timed"]), _shares(document["timed"]), _cold(document["timed"])]


def _calls(counted: Mapping[str, Any]) -> Table:
    rows = []
    for secret, one in counted.items():
        floor, calls = one["floor"], one["calls"]
        machines = [f"{_n(one[what]['rotate'])} + {_n(one[what]['retire'])}" for what in ("transitions", "invocations")]
        floored = f"{floor['writes']} w, {floor['reads']} r"
        rows.append((secret, *(_n(calls.get(name, 0)) for name in _COLUMNS), floored, *machines))
    varied = sorted({name for one in counted.values() for name in one["varied"]})
    template = next((one["aws_template_calls_without_proof"] for one in counted.values() if one["store"] == "aws"), 0)
    return Table(
        title="Calls of one life: a rotation and the retirement behind it, each begun cold",
        columns=("credential", "writes", "reads", *_COLUMNS[2:], "floor", "transitions", "invocations"),
        rows=tuple(rows),
        note="Writes and reads are the credential's own in its store; the other columns stand beside them, as the "
        "store's function counts them (what control does is in the next table). "
        f"AWS's own PostgreSQL template: {template} calls, without a proof of death (cited, not measured). "
        "Transitions and invocations: rotate + retire, each with the verb that starts it. "
        + (f"Not the same in every round: {', '.join(varied)}." if varied else "Every round counted the same."),
    )


def _operations(counted: Mapping[str, Any]) -> Table:
    names = sorted({(f, name) for one in counted.values() for f, made in one["operations"].items() for name in made})
    stores = {one["store"]: secret for secret, one in counted.items()}
    merged: dict[tuple[str, str], dict[str, float]] = {}
    for function, name in names:
        role = "control" if function == "control" else "store"
        for secret, one in counted.items():
            count = one["operations"].get(function, {}).get(name, 0)
            place = merged.setdefault((role, name), dict.fromkeys(stores.values(), 0))
            place[secret] += count
    rows = [(role, name, *(_n(by[secret]) for secret in counted)) for (role, name), by in sorted(merged.items())]
    return Table(
        title="Operations of AWS that passed on the wire in one life, by the function that asked",
        columns=("function", "operation", *counted),
        rows=tuple(rows),
    )


def _bill(cost: Mapping[str, Any]) -> Table:
    bills = cost["credentials"]
    kinds = list(dict.fromkeys(line["kind"] for one in bills.values() for line in one["lines"]))
    spent = {kind: {s: _line(one, kind) for s, one in bills.items()} for kind in kinds}
    dearest = sorted(kinds, key=lambda kind: -sum(line["dollars"] for line in spent[kind].values()))
    rows = [
        (_marked(kind), *(f"{_n(line['count'])} = ${line['dollars']:.4f}" for line in spent[kind].values()))
        for kind in dearest
        if any(line["count"] for line in spent[kind].values())
    ]
    rows.append(("total", *(f"${one['dollars']:.4f}" for one in bills.values())))
    rows.append(("dearest part", *(f"{one['dearest']} {one['lines'][0]['share']:.0%}" for one in bills.values())))
    rows.append(("on unverified prices", *(f"{one['unverified_share']:.0%}" for one in bills.values())))
    sweep = cost["sweep"]
    return Table(
        title=f"Cost of {cost['per_rotations']:,} rotations with their retirements, {cost['region']} list prices",
        columns=("kind", *bills),
        rows=tuple(rows),
        note=f"GB-seconds are those of cold lives on this machine's processor, the rest is counted. Beside it, whether "
        f"or not anything is rotated, the sweep: ${sweep['dollars']:.2f} in {sweep['days']} days "
        f"({sweep['sweeps']:,} sweeps, dearest part {sweep['dearest']}). Not in it: what is paid per month (secrets, "
        "versions, keys, storage, alarms), data transfer, free tiers.",
    )


def _line(one: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    nothing = {"count": 0.0, "dollars": 0.0}
    return next((line for line in one["lines"] if line["kind"] == kind), nothing)


def _marked(kind: str) -> str:
    verified = next(price.verified for known, price in PRICES.items() if known == kind)
    return kind if verified else kind + _UNVERIFIED


def _prices() -> Table:
    rows = [
        (
            kind.value,
            f"${price.dollars:g} / {price.per:,}",
            price.counted,
            price.source,
            "yes" if price.verified else "no",
        )
        for kind, price in PRICES.items()
    ]
    rows += [(kind.value, "free", why, "", "") for kind, why in FREE.items()]
    return Table(title="Unit prices", columns=("kind", "price", "counted", "source", "verified"), rows=tuple(rows))


def _times(timed: Mapping[str, Any]) -> Table:
    bare = timed["bare_round_trip_ms"]
    rows = [
        (
            f"{secret}: {machine}",
            *(_spread(one[machine][name]) for name in ("busy_to_bare", "asked_to_bare")),
            f"{one[machine]['cold_to_warm']:.1f}",
            _spread(one[machine]["busy_ms"]),
        )
        for secret, one in timed["credentials"].items()
        for machine in _MACHINES
    ]
    return Table(
        title="Times, as multiples of a bare round trip (get, put, move the label) with the SDK on the same emulator",
        columns=("run", "busy / bare", "start verb / bare", "cold / warm", "busy ms"),
        rows=tuple(rows),
        note=f"Median (least to most). Busy is the wall time without the waits of the policy. One bare round trip: "
        f"{_spread(bare)} ms, {bare['n']} of them.",
    )


def _shares(timed: Mapping[str, Any]) -> Table:
    rows = [
        (f"{secret}: {machine}", "  ".join(f"{name} {share:.0%}" for name, share in one[machine]["shares"].items()))
        for secret, one in timed["credentials"].items()
        for machine in _MACHINES
    ]
    return Table(title="Where the busy time of a warm run goes", columns=("run", "median shares"), rows=tuple(rows))


def _cold(timed: Mapping[str, Any]) -> Table:
    rows = [
        (name, f"{one['ratio']:.1f}", f"{one['cold_ms']:.0f}", f"{one['warm_ms']:.0f}")
        for name, one in timed["cold_to_warm"].items()
    ]
    return Table(
        title="Invocations that find no process, as multiples of the same one that does",
        columns=("function: phase", "cold / warm", "cold ms", "warm ms"),
        rows=tuple(rows),
        note="The emulator's billed duration: wall time with the start of the process.",
    )


def _spread(spread: Mapping[str, float]) -> str:
    return f"{spread['median']:.1f} ({spread['least']:.1f} to {spread['most']:.1f})"


def _n(count: float) -> str:
    return f"{count:,.0f}" if count == round(count) else f"{count:,.4g}"
