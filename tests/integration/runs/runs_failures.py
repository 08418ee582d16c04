"""A rotation of each credential whose test fails before promotion, and the one after the fault is gone.

The faults need no change of code: PostgreSQL lets the candidate's user have no connection, the way to the other two
targets leads through a proxy that answers the test with the target's own refusal, after the target was seen to accept
the candidate.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass

from runs_credentials import ALL, API_TOKEN, POSTGRES, SIGNING_KEY, Credential
from runs_detour import detour
from runs_stack import Ended, Stack
from runs_stores import AwsReader, Reader, Seen, candidate_of
from runs_targets import ACCEPTED

from sandbox.google.remote import calls
from sandbox.parts.postgres_roles import connect

# sqlstate
TOO_MANY_CONNECTIONS = "53300"
USERS = ("payments_app_a", "payments_app_b")


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What was seen. `applied`: what the real target said to the candidate during the run, `left` after it.

    google_calls: the Google server's own journal of the repaired rotation and its retirement.
    """

    ended: Ended
    before: Seen
    live: Seen
    live_shown: str
    candidate: Seen
    candidate_at_last: Seen | None
    applied: str
    left: str
    repaired: Ended
    repaired_live: Seen
    repaired_shown: str
    retired: Ended
    google_calls: list[dict[str, str]]


def fail_all(stack: Stack) -> dict[str, Failure]:
    """All three at the same time, by name, from where no overlap is open."""
    stack.settle(*(credential.name for credential in ALL))
    with ThreadPoolExecutor(len(ALL)) as pool:
        found = pool.map(lambda credential: _fail(stack, credential), ALL)
        return {credential.name: failure for credential, failure in zip(ALL, found, strict=True)}


def _fail(stack: Stack, credential: Credential) -> Failure:
    with closing(credential.reader(stack)) as reader:
        before = reader.live()
        ended, candidate, applied = _RUNS[credential.name](stack, reader)
        live = reader.live()
        left, live_shown = credential.show(stack.facts, candidate.text), credential.show(stack.facts, live.text)
        at_last = candidate_of(reader, ended)
        calls(stack.facts.google_endpoint, clear=credential is SIGNING_KEY)
        repaired = stack.rotate(credential.name)
        assert repaired.status == "SUCCEEDED", (repaired.error, ended.run["failure"])
        retired = stack.retire(credential.name)
        journal = calls(stack.facts.google_endpoint)
        repaired_live = reader.live()
        return Failure(
            ended=ended,
            before=before,
            live=live,
            live_shown=live_shown,
            candidate=candidate,
            candidate_at_last=at_last,
            applied=applied,
            left=left,
            repaired=repaired,
            repaired_live=repaired_live,
            repaired_shown=credential.show(stack.facts, repaired_live.text),
            retired=retired,
            google_calls=journal,
        )


def _refused_login(stack: Stack, reader: Reader) -> tuple[Ended, Seen, str]:
    with closing(AwsReader(stack, POSTGRES.name)) as labels:
        labels.leave_nothing_pending()
    used = json.loads(reader.live().text)["username"]
    with _no_connections(stack, next(user for user in USERS if user != used)):
        ended = stack.rotate(POSTGRES.name)
    candidate = candidate_of(reader, ended)
    assert candidate
    # the server counts connections only after it accepted the password
    said = ended.step("test")["facts"]["detail"]
    return ended, candidate, ACCEPTED if TOO_MANY_CONNECTIONS in said else said


@contextmanager
def _no_connections(stack: Stack, user: str) -> Iterator[None]:
    known, facts = stack.credentials, stack.facts
    with closing(connect(facts.postgres_port, known.postgres_admin_user, known.postgres_admin_password)) as session:
        session.run(f"ALTER ROLE {user} CONNECTION LIMIT 0")
        yield
        session.run(f"ALTER ROLE {user} CONNECTION LIMIT -1")


def _refused_token(stack: Stack, reader: Reader) -> tuple[Ended, Seen, str]:
    return _refused_on_the_way(stack, reader, API_TOKEN, stack.facts.token_service_url, "/whoami")


def _refused_signature(stack: Stack, reader: Reader) -> tuple[Ended, Seen, str]:
    return _refused_on_the_way(stack, reader, SIGNING_KEY, stack.facts.verifier_url, "/verify")


def _refused_on_the_way(
    stack: Stack, reader: Reader, credential: Credential, url: str, held: str
) -> tuple[Ended, Seen, str]:
    status, slug = credential.refusal.split()
    with detour(stack, credential.name, url, held, (int(status), {"error": slug})) as gate:
        started = stack.begin("rotate", credential.name)
        gate.wait()
        run = stack.verb(verb="run", run_id=started["run_id"])
        stage = next(step for step in run["steps"] if step["step"] == "stage")
        candidate = reader.candidate(started["run_id"], stage["facts"])
        assert candidate
        applied = credential.show(stack.facts, candidate.text)
        gate.opened.set()
        return stack.ended(started), candidate, applied


_RUNS: dict[str, Callable[[Stack, Reader], tuple[Ended, Seen, str]]] = {
    POSTGRES.name: _refused_login,
    API_TOKEN.name: _refused_token,
    SIGNING_KEY.name: _refused_signature,
}
