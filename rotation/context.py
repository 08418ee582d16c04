"""What a step works with: the run, its policy, the adapters, and the values read so far in this invocation.

Values are kept for one invocation only, so that a phase reads each version once; nothing of it is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rotation.calls import Meter
from rotation.consumers.channel import Announcer, NullAnnouncer
from rotation.contract import CredentialIssuer, Fence, Observation, Remembered, SecretStore, Version
from rotation.errors import Refused
from rotation.ledger.ledger import Ledger
from rotation.ledger.records import Run, StepRecord
from rotation.policy import Policy
from rotation.value import SecretValue


@dataclass(kw_only=True)
class Context:
    """One invocation of one phase."""

    run: Run
    policy: Policy
    store: SecretStore
    issuer: CredentialIssuer
    ledger: Ledger
    meter: Meter
    steps: dict[str, StepRecord]
    announcer: Announcer = field(default_factory=NullAnnouncer)
    values: dict[Version, SecretValue] = field(default_factory=dict)
    # set by the look of the step `stage`, used by its act in the same invocation
    seen: Observation | None = None
    recovered: Version | None = None
    live_now: tuple[Version, SecretValue] | None = None

    @property
    def fence(self) -> Fence:
        """This run's fence at the target."""
        return Fence(run_id=self.run.run_id, epoch=self.run.epoch)

    @property
    def applied(self) -> Fence:
        """The fence that the new credential was applied under: an older one, when the run was taken over since."""
        record = self.steps.get("apply")
        return Fence(run_id=self.run.run_id, epoch=record.epoch if record and record.epoch else self.run.epoch)

    def read(self, version: Version) -> SecretValue:
        """The value of a version, read from the store once per invocation."""
        if version not in self.values:
            self.values[version] = self.store.read(self.policy.ref, version)
        return self.values[version]

    def read_live(self) -> tuple[Version, SecretValue]:
        """What readers get, read once per invocation."""
        if self.live_now is None:
            self.live_now = self.store.read_live(self.policy.ref)
        return self.live_now

    def fact(self, step: str, name: str) -> str:
        """A recorded fact of a finished step; Refused `step_missing` when the step did not get that far."""
        record = self.steps.get(step)
        if record is None or name not in record.facts:
            raise Refused(
                "step_missing", f"the run has no `{name}` of its step `{step}`", "look with `keyturn history`"
            )
        return record.facts[name]

    @property
    def remembered(self) -> Remembered:
        """What the ledger knew of the secret when the run claimed it."""
        return Remembered(current=self.run.current, pending_token=self.run.pending_token)

    @property
    def expected(self) -> Version | None:
        """The version that was current when this run looked; None where there was none."""
        return version_from(self._intent)

    @property
    def public(self) -> dict[str, str]:
        """What the issuer said of the credential this run minted that is not secret."""
        # of what the target made itself the intent could not know it yet
        told = {**self._intent, **(self.steps["stage"].facts if "stage" in self.steps else {})}
        return {k.removeprefix("public_"): v for k, v in told.items() if k.startswith("public_")}

    @property
    def _intent(self) -> dict[str, str]:
        """What the step `stage` meant to do; empty before it."""
        return self.steps["stage"].intent if "stage" in self.steps else {}

    @property
    def staged(self) -> Version | None:
        """The version this run staged, as the ledger knows it; None before that."""
        return version_in(self.steps.get("stage"))

    @property
    def live(self) -> Version | None:
        """The version this run made current, as the ledger knows it; None before that."""
        return version_in(self.steps.get("promote"))


def version_in(record: StepRecord | None) -> Version | None:
    """The version among a step's facts."""
    if record is None or not record.facts.get("version"):
        return None
    facts = record.facts
    return Version(id=facts["version"], path=facts.get("path", ""), fingerprint=facts.get("fingerprint", ""))


def version_from(intent: Mapping[str, str]) -> Version | None:
    """The version a run started from, as the intent of its step `stage` says; None where there was none."""
    found = intent.get("from_version")
    return Version(id=found, path=intent.get("from_path", "")) if found else None


def version_facts(version: Version) -> dict[str, str]:
    """A version as facts of a step, the other way round."""
    return {"version": version.id, "path": version.path, "fingerprint": version.fingerprint}
