"""Rules about how long old and new live side by side, who reads them, and how readers learn of the new one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from policy_rules.rule import Case, Offence, Rule, length
from rotation.cadence import DAY_S, pause_s

# A candidate that waits longer than a day before promotion is a forgotten one.
LONGEST_WARM_UP_S = DAY_S
CHANNELS = ("redis", "sqs", "rq")
# Who is told and answers; who looks again by itself; a job that keeps what it began with.
CLIENT, POLL, CI = "client", "poll", "ci"
KINDS = (CLIENT, POLL, CI)


def _form(case: Case) -> Iterator[Offence]:
    policy = case.policy
    if policy.overlap_s < 0:
        yield "overlap_s", "is negative", "give the seconds for which both credentials stay valid"
    elif case.issuer and policy.overlap_s > 0 and not case.issuer.overlaps:
        yield "overlap_s", f"{policy.credential} cannot keep two credentials valid at once", "set it to 0"


def _missing(case: Case) -> Iterator[Offence]:
    if case.issuer and case.issuer.overlaps and case.policy.overlap_s == 0:
        # zero is what an emergency asks for at run time; as a habit it cuts off every reader that is not instant
        yield "overlap_s", "is 0, though the type can overlap", "give readers time to change over"


def _outlasts(case: Case) -> Iterator[Offence]:
    policy, due_s = case.policy, _due_s(case)
    if not due_s or not case.issuer or not case.issuer.overlaps:
        return
    busy_s = policy.overlap_s + policy.warm_up_s
    if busy_s >= due_s:
        # a run that comes due while an overlap is open is refused
        yield "overlap_s", "is not shorter than the cadence", "shorten the overlap, or rotate less often"
    elif busy_s + policy.acknowledge_s >= due_s:
        yield (
            "acknowledge_s",
            "keeps the overlap open until the next rotation is due",
            "let the end of the overlap escalate sooner, or rotate less often",
        )


def _due_s(case: Case) -> int:
    try:
        return pause_s(case.policy.cadence)
    except ValueError:
        # the cadence is an offence of its own
        return 0


def _below_floor(case: Case) -> Iterator[Offence]:
    policy = case.policy
    if not case.issuer or not case.issuer.overlaps or policy.overlap_s <= 0:
        return
    short = [(floor_s, why) for floor_s, why in floors(case) if policy.overlap_s < floor_s]
    if short:
        named = "; ".join(f"{why} ({length(floor_s)})" for floor_s, why in short)
        longest = length(max(floor_s for floor_s, _ in short))
        yield "overlap_s", f"{length(policy.overlap_s)} is shorter than {named}", f"make it {longest} or longer"


def _cut_off(case: Case) -> Iterator[Offence]:
    if not case.issuer or case.issuer.overlaps or case.policy.overlap_s != 0:
        return
    waiting = [f"{why} ({length(floor_s)})" for floor_s, why in floors(case) if floor_s > 0]
    if waiting:
        yield (
            "credential",
            f"{case.policy.credential} keeps one credential at a time, and {'; '.join(waiting)} is cut off",
            "choose a type that overlaps, or waive this with whoever answers for the outage",
        )


def floors(case: Case) -> Iterator[tuple[int, str]]:
    """Seconds that an overlap has to last, each with its reason."""
    if case.store and case.store.lagging_pointer:
        yield case.circumstances.alias_lag_s, f"the lag of readers by alias in {case.policy.store}"
    for consumer in case.policy.consumers:
        if consumer.kind == CLIENT:
            yield case.circumstances.client_poll_s, f"the time after which the client {consumer.name} looks by itself"
        waits = {CLIENT: "the lead of", POLL: "the poll interval of", CI: "the longest job of"}
        yield consumer.lead_s, f"{waits.get(consumer.kind, 'the lead of')} {consumer.name}"


def _warm_up(case: Case) -> Iterator[Offence]:
    if case.policy.warm_up_s < 0:
        yield "warm_up_s", "is negative", "give the seconds between a passed test and promotion"
    elif case.policy.warm_up_s > LONGEST_WARM_UP_S:
        yield "warm_up_s", "is longer than a day", "shorten it: nobody uses the candidate meanwhile"


def _consumers(case: Case) -> Iterator[Offence]:
    for consumer in case.policy.consumers:
        if not consumer.name.strip():
            yield "consumers", "one has no name", "name who reads the credential"
        if consumer.kind not in KINDS:
            yield "consumers", f"{consumer.name} is of the kind {consumer.kind}", f"use one of {', '.join(KINDS)}"
        if consumer.lead_s < 0 or (consumer.lead_s == 0 and consumer.kind in (POLL, CI)):
            yield "consumers", f"{consumer.name} has no lead", "say after how many seconds it uses the new version"
    for name, count in Counter(consumer.name for consumer in case.policy.consumers).items():
        if count > 1:
            yield "consumers", f"two are called {name}", "names are unique: acknowledgements are counted by them"


def _client(case: Case) -> Iterator[Offence]:
    policy = case.policy
    clients = [consumer for consumer in policy.consumers if consumer.kind == CLIENT]
    if clients and not policy.invalidate:
        yield "invalidate", "is empty, so that no client hears of a new version", f"name one of {', '.join(CHANNELS)}"
    if clients and policy.acknowledge_s == 0:
        yield "acknowledge_s", "is 0, so that nobody waits for the clients", "give the seconds before it escalates"
    for client in clients:
        # an empty fact is a role that the stack does not have
        if client.role == "":
            yield "consumers", f"the client {client.name} has no role", "name the role whose acknowledgements count"


def _waits(case: Case) -> Iterator[Offence]:
    policy = case.policy
    if policy.acknowledge_s < 0:
        yield "acknowledge_s", "is negative", "give the seconds before it escalates, or 0"
    elif policy.acknowledge_s and not any(consumer.kind == CLIENT for consumer in policy.consumers):
        yield "acknowledge_s", "waits for a client, and there is none", "set it to 0, or name the client"


RULES = (
    Rule(name="overlap-form", says="the overlap is one that the credential type can keep", find=_form),
    Rule(name="overlap-missing", says="a type that can overlap does", find=_missing, waivable=True),
    Rule(
        name="overlap-outlasts-cadence",
        says="warm-up, overlap and the wait for acknowledgements end before the next rotation is due",
        find=_outlasts,
    ),
    Rule(
        name="overlap-below-floor",
        says="the overlap outlasts alias lag, the clients' own look, and every consumer's poll, job or lead",
        find=_below_floor,
        waivable=True,
    ),
    Rule(
        name="no-overlap-cuts-off",
        says="a type that keeps one credential at a time has no reader who learns of the new one later",
        find=_cut_off,
        waivable=True,
    ),
    Rule(name="warm-up-range", says="the warm-up lasts a day at most", find=_warm_up),
    Rule(name="consumer-form", says="a consumer has a name of its own, a known kind and a lead", find=_consumers),
    Rule(
        name="client-unheard",
        says="a consumer of the kind `client` is told by a channel, waited for, and known by its role",
        find=_client,
        waivable=True,
    ),
    Rule(name="acknowledge-nobody", says="acknowledgements are awaited from clients, never from nobody", find=_waits),
)
