"""What must hold after every single step, whatever has happened before.

Outside writes in these tests always work: somebody who points readers at a value that the target does not accept breaks
the first invariant, and no rotation can prevent it. That case is held by the tests of `repair`.
"""

from __future__ import annotations

from rotation.contract import Version
from rotation.errors import NotFound
from rotation.ledger.records import Overlap
from tests.model.world import NAME
from tests.property.any_order_world import AnyOrderWorld
from tests.property.credentials import KeepingStore

Credential = tuple[str, str]


class Watch:
    """Remembers what an invariant needs of the past: the highest epoch, and who had each."""

    def __init__(self, world: AnyOrderWorld) -> None:
        self.world = world
        self.epoch = 0
        self.holders: dict[int, tuple[str, str]] = {}
        self.current: int | None = None
        self.promoted: set[str] = set()

    def look(self) -> None:
        """Raises AssertionError with what was broken."""
        self._readers_get_what_works()
        self._nobodys_move_is_overwritten()
        self._one_run_per_epoch()
        self._orphans_are_few_and_hidden()
        self._every_accepted_credential_is_known()
        assert self.world.rows.leaked == [], "a value was written to the ledger"

    def rest(self) -> None:
        """When all is over, and many things have happened at once since the last look."""

    def _readers_get_what_works(self) -> None:
        secret, target = self.world.secret, self.world.target
        assert secret.current is not None, "readers get nothing"
        assert secret.values[secret.current - 1] is not None, "readers get a destroyed version"
        assert target.accepts(secret.ever[secret.current]), "readers get what the target refuses"
        if secret.shown is not None:
            assert secret.values[secret.shown - 1] is not None, "readers get a destroyed version, late"
            assert target.accepts(secret.ever[secret.shown]), "readers get, late, what the target refuses"

    def _nobodys_move_is_overwritten(self) -> None:
        """A version that readers get for the first time took the place of the one that its run had started from."""
        secret = self.world.secret
        before, self.current = self.current, secret.current
        run_id = next((run for run, number in secret.runs.items() if number == secret.current), "")
        if run_id in ("", *self.promoted):
            return
        self.promoted.add(run_id)
        _, steps = self.world.whole_ledger.run(run_id)
        started = steps["stage"].intent["from_version"] if "stage" in steps else ""
        assert before is None or started == str(before), f"a stranger's version {before} was overwritten"

    def _one_run_per_epoch(self) -> None:
        head = self.world.whole_ledger.head(NAME)
        assert head.epoch >= self.epoch, f"the epoch fell from {self.epoch} to {head.epoch}"
        self.epoch = head.epoch
        if head.run_id:
            holder = (head.run_id, head.execution)
            assert self.holders.setdefault(head.epoch, holder) == holder, f"two hold epoch {head.epoch}"
        for epoch, runs in self.world.target.by.items():
            assert len(runs) == 1, f"the runs {runs} worked under epoch {epoch}"

    def _orphans_are_few_and_hidden(self) -> None:
        secret = self.world.secret
        staged = set(secret.runs.values())
        retired = _of_overlap(self.world.whole_ledger.head(NAME).retired)
        # a store that gives up nothing keeps what was abandoned, where nobody finds it
        gone = self.world.store is KeepingStore
        kept = {number for number in staged if secret.pending == number or (not gone and secret.values[number - 1])}
        orphans = kept - _numbers(self._known_versions() | retired) - {secret.current}
        assert len(orphans) <= 1, f"versions {sorted(orphans)} are nobody's"
        runs = {number: run for run, number in secret.runs.items()}
        if secret.current in runs:
            _, steps = self.world.whole_ledger.run(runs[secret.current])
            assert "promote" in steps, "readers get a candidate"

    def _every_accepted_credential_is_known(self) -> None:
        target, secret = self.world.target, self.world.secret
        numbers = _numbers(self._known_versions()) | {secret.current}
        known = {secret.ever[number] for number in numbers if number in secret.ever}
        stray = set(target.tokens.items()) - known - set(target.outside.items())
        assert not stray, f"the target accepts what nobody knows of, in {sorted(slot for slot, _ in stray)}"

    def _known_versions(self) -> set[Version]:
        """Current, the overlap's, those of the run that is not ended and of what it is to settle, the leftover's."""
        head = self.world.whole_ledger.head(NAME)
        found = _of_overlap(head.overlap) | ({head.current} if head.current else set())
        for run_id in (head.run_id, head.leftover):
            found |= self._of_run(run_id)
        return found

    def _of_run(self, run_id: str) -> set[Version]:
        number = self.world.secret.runs.get(run_id)
        found = {Version(id=str(number))} if number else set()
        try:
            run, _ = self.world.whole_ledger.run(run_id)
        except NotFound:
            return found
        found |= _of_overlap(run.overlap) | ({run.current} if run.current else set())
        return found | (self._of_run(run.leftover) if run.leftover else set())


def _of_overlap(overlap: Overlap | None) -> set[Version]:
    return {overlap.old, overlap.new} if overlap else set()


def _numbers(versions: set[Version]) -> set[int]:
    return {int(version.id) for version in versions}
