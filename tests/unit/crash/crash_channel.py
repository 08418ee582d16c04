"""A channel in memory, whose consumers may lose nothing: what they were told, and what has to hold of that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from rotation.consumers.channel import FAILED, SENT
from rotation.consumers.event import Event, Notice
from rotation.ledger.ledger import Ledger
from rotation.lineage import made_by

CHANNEL = "redis"
# Where consumers are told: each call more is a death more, and one type per store shows it.
TOLD_IN = {("aws", "postgres-alternating"), ("vault", "bearer-token"), ("gcp", "signing-key")}
# Within one claim a promotion may be taken back, and not the other way round.
_RANKS = (Event.PROMOTED, Event.ROLLED_BACK, Event.RETIRED)


class ModelChannel:
    """`current` says what readers get. down: nothing can be sent. early: events of what was not current when told."""

    stack = "local"

    def __init__(self, current: Callable[[], str]) -> None:
        self._current = current
        self.told: list[Notice] = []
        self.early: list[Notice] = []
        self.down = False

    def announce(self, notice: Notice, channels: Iterable[str]) -> Mapping[str, str]:
        """Tell, or fail to, on every channel."""
        if self.down:
            return dict.fromkeys(channels, f"{FAILED}redis_unreachable")
        if notice.store_version != self._current():
            self.early.append(notice)
        self.told.append(notice)
        return dict.fromkeys(channels, SENT)

    def ids(self) -> set[str]:
        """Which events consumers know of."""
        return {notice.id for notice in self.told}


def check_told(channel: ModelChannel, ledger: Ledger, secret: str) -> None:
    """Consumers know of what is current, by one event each, that never came too soon; nothing is left to be told."""
    assert not channel.early, "consumers were told of a version before readers could get it"
    assert not ledger.outbox.of(secret), "consumers are still to be told of something"
    promoted = [notice for notice in channel.told if notice.event is Event.PROMOTED]
    assert len({n.id for n in promoted}) == len({n.version for n in promoted}), "a repeat is another event"
    current = ledger.head(secret).current
    assert current is not None
    last = max(channel.told, key=lambda n: (n.sequence, _RANKS.index(n.event)))
    assert last.store_version == current.id, "consumers were told last of another version than readers get"
    assert last.version == made_by(ledger, secret, current), "consumers know the version by another name"
