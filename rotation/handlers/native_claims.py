"""The claim of a native rotation: what a machine's claim asks, asked by the store's own function.

That function cannot ask Step Functions whether an execution still runs, so that a machine's claim is always held. A
claim of another token is not: Secrets Manager has one token under way, and this is the one it sends. What that token
left is recorded where its version is current, settled by this run where it never got that far, and otherwise left to
`repair`. Not here: the four steps (`native`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from rotation.control import takeover
from rotation.control.records import leftover_of
from rotation.errors import NotFound, Refused, Unavailable
from rotation.ledger.ledger import Ledger
from rotation.ledger.records import Head, Run, StepRecord
from rotation.policy import Policy

_OWNER = "native:"


def is_native(run: Run) -> bool:
    """Whether Secrets Manager drives the run; a machine that continues one takes it for itself."""
    return run.execution.startswith(_OWNER)


def known(ledger: Ledger, token: str) -> bool:
    """Whether the token's run has begun."""
    try:
        ledger.run(token)
    except NotFound:
        # not claimed yet, or made current without us, such as a secret's first value
        return False
    return True


def unrecorded(ledger: Ledger, token: str) -> bool:
    """Whether the token's run has no end yet: its overlap is not open, and nothing would retire the old credential."""
    if not known(ledger, token):
        return False
    run, _ = ledger.run(token)
    return run.status == "running" and is_native(run)


def check_own(run: Run) -> None:
    """Refused where the token's run is not Secrets Manager's to go on with any more."""
    if run.status != "running":
        raise Refused(
            "run_ended",
            f"the run {run.run_id} of {run.secret} is {run.status}, and its version is not current",
            f"`keyturn history {run.secret}` says why; another rotation begins with a token of its own",
        )
    if not is_native(run):
        raise Refused(
            "claim_held",
            f"a machine goes on with the run {run.run_id} of {run.secret}",
            f"wait for it: `keyturn history {run.secret}`",
        )


def promoted_before(ledger: Ledger, secret: str, current: Collection[str]) -> str:
    """The token whose promotion nobody recorded, "" where there is none; `current`: what has AWSCURRENT."""
    token = ledger.head(secret).run_id
    return token if token in current and unrecorded(ledger, token) else ""


def claim(ledger: Ledger, table: str, policy: Policy, token: str) -> None:
    """Claim the secret for this token.

    Refused `claim_held`, `run_unfinished`, `overlap_open`; Halted `ledger_restored`, and what the switches say;
    Unavailable while an invocation of the token before may still work.
    """
    head = ledger.head(policy.name)
    takeover.same_table(table, head)
    dead = _given_up(ledger, head)
    if head.overlap:
        raise Refused(
            "overlap_open",
            f"the overlap of {policy.name} is open until {head.overlap.retire_at}",
            f"wait until the old credential is retired, or `keyturn overlap close {policy.name}`",
        )
    leftover = leftover_of(head, *dead) if dead else head.leftover
    now = ledger.now()
    run = Run(
        run_id=token,
        secret=policy.name,
        machine="rotate",
        epoch=head.epoch,
        execution=_OWNER + token,
        function="native",
        policy=policy.document(),
        policy_digest=policy.digest(),
        reason="native rotation",
        requested_by="secretsmanager.amazonaws.com",
        started_at=now,
        current=head.current,
        pending_token=head.pending_token,
        leftover=leftover,
    )
    lost = takeover.lost(dead[0], now) if dead else None
    ledger.claim(replace(head, leftover=leftover, table=table), run, lost=lost)


def _given_up(ledger: Ledger, head: Head) -> tuple[Run, dict[str, StepRecord]] | None:
    """The run of another token, where this one may take its place."""
    if not head.run_id:
        return None
    if not head.execution.startswith(_OWNER):
        raise Refused(
            "claim_held",
            f"the run {head.run_id} of {head.secret} is not ended",
            f"wait for it; `keyturn repair {head.secret}` says what to do if it does not end by itself",
        )
    try:
        return takeover.given_up(ledger, head)
    except takeover.TooEarly as exc:
        raise Unavailable(
            "earlier_invocation_may_work",
            f"an invocation of the run {head.run_id} may still work",
            "Secrets Manager asks again by itself",
        ) from exc
