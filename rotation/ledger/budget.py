"""Write budgets of the stores: token buckets in the ledger that every function shares, taken just before a write.

A bucket fills at 80 % of the ceiling and holds the other 20 %, so that no window of the ceiling's length sees more
writes than the ceiling, whatever the runs do. It is striped over some rows, each with its share: one row would be
written by all functions at once. A stack has one AWS account and region, one Vault and one Google project, so the
store's name says whose budget it is; stacks that share an account have to share its ceiling by their schedules.
Not here: when runs are started (`rotation.planning`), which takes from buckets of the same kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rotation.errors import Throttled
from rotation.ledger.moments import timestamp
from rotation.ledger.rows import ConditionFailed, Expect, Key, Put, Row, Rows

# AWS Secrets Manager quotas: PutSecretValue, UpdateSecretVersionStage and their like together, per second.
AWS_WRITES_S = 50.0
# Google Secret Manager quotas: 600 writes a minute in a project, and two a second of one secret.
GOOGLE_WRITES_S, GOOGLE_WINDOW_S = 10.0, 60.0
GOOGLE_SECRET_WRITES_S = 2.0
# Vault has no ceiling of its own: as careful as with AWS, since one server answers the readers too.
VAULT_WRITES_S = 50.0
# Share of the ceiling at which a bucket fills; it holds the rest.
_SHARE = 0.8
# Rows of one bucket: at 40 takes a second, each of some 10 ms, two seldom meet in one of four.
_STRIPES = 4
# Tokens are counted in thousandths: the table keeps whole numbers.
_MILLI = 1_000
# A stripe that somebody else changes this often meanwhile counts as empty; the next one is tried.
_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A bucket: `rate` tokens a second up to `burst`, shared by `stripes` rows."""

    pool: str
    rate: float
    burst: float
    stripes: int = _STRIPES


def _below(pool: str, ceiling: float, window_s: float = 1.0, stripes: int = _STRIPES) -> Limit:
    # a whole token at least, or nothing could ever be taken
    burst = max(1.0, (1 - _SHARE) * ceiling * window_s)
    return Limit(pool=pool, rate=_SHARE * ceiling, burst=burst, stripes=stripes)


_OF_STORE = {
    "aws": _below("aws", AWS_WRITES_S),
    "vault": _below("vault", VAULT_WRITES_S),
    "gcp": _below("gcp", GOOGLE_WRITES_S, GOOGLE_WINDOW_S),
}


# Writes to a store by phase, taken whole before it; a phase that is tried again takes them again. Undoing takes one
# that it never waits for.
WRITES = {
    "aws": {"prepare": 1, "promote": 1},
    "vault": {"prepare": 1, "promote": 2},
    "gcp": {"prepare": 1, "promote": 1, "retire": 1},
}


def limits(store: str, secret: str) -> Sequence[Limit]:
    """The buckets that a write to a secret takes from; none for a store without a ceiling."""
    own = [_below(f"gcp/{secret}", GOOGLE_SECRET_WRITES_S, stripes=1)] if store == "gcp" else []
    return [*own, *([_OF_STORE[store]] if store in _OF_STORE else [])]


class Budgets:
    """Takes from the buckets; `clock` gives aware datetimes."""

    def __init__(self, rows: Rows, clock: Callable[[], datetime]) -> None:
        self._rows = rows
        self._clock = clock

    def spend(self, store: str, secret: str, writes: int, *, undoing: bool = False, own: bool = True) -> None:
        """Take the tokens of a phase's writes before them; Throttled `write_budget` says how long to wait.

        undoing: what brings readers back waits for nobody; it leaves a debt that later writes wait for. own: from the
        secret's own bucket too. A run asks it once: claims keep runs of one secret apart, and its writes are few.
        """
        for limit in limits(store, secret):
            if own or limit.pool == store:
                self.take(limit, secret, writes, in_debt=undoing)

    def take(self, limit: Limit, by: str, tokens: int, *, in_debt: bool = False) -> None:
        """Take all tokens of one stripe, `by`'s own first. Throttled `write_budget`."""
        first = sum(by.encode())
        pauses: list[float] = []
        for i in range(limit.stripes):
            pause = self._taken(limit, (first + i) % limit.stripes, tokens, in_debt)
            if not pause:
                return
            pauses.append(pause)
        raise Throttled("write_budget", f"the write budget of {limit.pool} is spent", retry_after_s=min(pauses))

    def draw(self, limit: Limit, most: int) -> int:
        """Take as many tokens as there are, up to `most`; how many it got."""
        got = 0
        for stripe in range(limit.stripes):
            row, held = self._held(limit, stripe)
            share = min(int(held), most - got)
            if share > 0 and self._written(limit, stripe, row, held - share):
                got += share
        return got

    def left(self, limit: Limit) -> int:
        """Whole tokens that are there now; others may take them before."""
        return sum(max(0, int(self._held(limit, stripe)[1])) for stripe in range(limit.stripes))

    def _taken(self, limit: Limit, stripe: int, tokens: int, in_debt: bool) -> float:
        """0.0 when the tokens are taken, else the seconds until the stripe may have them."""
        burst = limit.burst / limit.stripes
        # more than a stripe can hold is given when it is full, and waited for by those who come later
        needed = min(float(tokens), burst)
        rate = limit.rate / limit.stripes
        for _ in range(_ATTEMPTS):
            row, held = self._held(limit, stripe)
            if held < needed and not in_debt:
                return max((needed - held) / rate, 1.0 / _MILLI)
            if self._written(limit, stripe, row, held - tokens):
                return 0.0
        return 1.0 / rate

    def _held(self, limit: Limit, stripe: int) -> tuple[Row | None, float]:
        """The stripe's row, and what it holds by now."""
        burst = limit.burst / limit.stripes
        row = self._rows.get(_key(limit, stripe))
        if row is None:
            return None, burst
        passed = (self._clock() - datetime.fromisoformat(row["at"])).total_seconds()
        filled = float(row["milli"]) / _MILLI + max(0.0, passed) * limit.rate / limit.stripes
        return row, min(burst, filled)

    def _written(self, limit: Limit, stripe: int, row: Row | None, held: float) -> bool:
        now = timestamp(self._clock())
        # clocks of functions differ a little: time never goes back in a row, or it would fill twice
        at = max(now, str(row["at"])) if row else now
        made = {"milli": int(held * _MILLI), "at": at, "rev": int(row["rev"]) + 1 if row else 1}
        expect = Expect(equals={"rev": row["rev"]}) if row else Expect(or_absent=True)
        try:
            self._rows.write([Put(key=_key(limit, stripe), row=made, expect=expect)])
        except ConditionFailed:
            return False
        return True


def _key(limit: Limit, stripe: int) -> Key:
    return Key(f"budget#{limit.pool}", f"stripe#{stripe}")
