"""What a store, a target and a run promise each other: protocols, capability flags and the plain values between them.

Everything below is imported by adapters and by the steps; nothing here imports an SDK, a policy or pulumi.
The protocols state the failure contract: what is raised, and what holds after a crash. Each do-verb has an undo-verb.
All methods raise only `rotation.errors` classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol

from rotation.value import SecretValue


@dataclass(frozen=True, kw_only=True)
class SecretRef:
    """Where a secret lives: `store` is `aws`, `vault` or `gcp`; `path` as the store writes it.

    AWS: the secret's name or ARN. Vault: `mount/path` of KV v2, without `data/`. Google: `projects/P/secrets/S`.
    """

    store: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a secret as its store names it (AWS: version id; Vault: number on `path`; Google: number)."""

    id: str
    # Vault keeps the pending value on a sibling path; elsewhere this is the secret's own path.
    path: str = ""
    # `SecretValue.fingerprint` of a staged value, to be kept with the id: Vault knows its own promotion by it.
    fingerprint: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What the ledger knows of a secret before a run looks, for stores that keep no pointer of their own.

    current: the version readers get (Google: the ledger's number is the pointer). pending_token: id of the last
    version staged, once it is recorded as promoted or abandoned (Vault: the version of the pending path, for the next
    check-and-set; of a version still pending it would let the next run overwrite it). "" costs a recovery read.
    """

    current: Version | None = None
    pending_token: str = ""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What a store shows before a run touches it. `value` is that of `current`, if the look gave it.

    `pending` is a staged version, or an empty placeholder, whoever made it.
    `token` is the store's compare-and-set handle for the next write (Vault: live version; Google: etag).
    `pending_token` is not seen but handed on from `Remembered`, for `stage`.
    """

    current: Version | None
    previous: Version | None = None
    pending: Version | None = None
    token: str = ""
    pending_token: str = ""
    value: SecretValue | None = None


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A staged value as the store itself shows it, whoever made it.

    owner: the run that staged it, where the store tells (AWS: the version id, Vault: inside the data), else "".
    empty: a placeholder that holds no value. fingerprint: `SecretValue.fingerprint`, "" when empty.
    """

    version: Version
    owner: str = ""
    empty: bool = False
    fingerprint: str = ""


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a store shows of a secret to somebody who remembers nothing: for repair, never for a run.

    current: what readers by pointer get. pendings: every staged value that is not current, and every placeholder.
    """

    current: Version | None
    pendings: tuple[Pending, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StoreCapabilities:
    """What a store can do; the only copy of each flag. A wish above an ability is refused at preview."""

    # a pending value can be stored without any reader of current seeing it
    hidden_pending: bool
    # the pointer of current is moved by compare-and-set
    fenced_promotion: bool
    # writing the same token and value twice makes one version
    idempotent_stage: bool
    # an old version can be disabled or destroyed on its own
    disposes: bool
    # readers by pointer may lag behind a promotion
    lagging_pointer: bool
    # versions kept before the oldest is dropped for good; None means no bound that matters
    rollback_horizon: int | None
    max_value_bytes: int
    # the store's own record of who read a secret reaches Keyturn as an event
    tells_reads: bool = False
    # the store keeps a schedule of its own, which calls a function of Keyturn
    rotates_itself: bool = False


class SecretStore(Protocol):
    """One secret store. An instance serves many secrets; constructors take ready clients.

    A crash in any method leaves the store either before or after its effect, never between:
    each method has at most one write, named in its docstring, except `promote` where the store has no pointer.
    """

    name: ClassVar[str]
    capabilities: ClassVar[StoreCapabilities]

    def observe(self, ref: SecretRef, remembered: Remembered) -> Observation:
        """Look before a run. Reads only. NotFound when the secret's shell does not exist (Vault: its mount).

        A store without a pointer of its own answers `remembered.current`, without a call.
        """
        ...

    def read(self, ref: SecretRef, version: Version) -> SecretValue:
        """The value of exactly this version. NotFound when it is absent, empty, disabled or destroyed."""
        ...

    def read_live(self, ref: SecretRef) -> tuple[Version, SecretValue]:
        """What readers by pointer get now, and which version that is: one read. NotFound when there is none.

        Retirement reads the new credential this way, not by number: it proves in the same read that readers are no
        longer given the old one. Behind a `lagging_pointer` it may still be the old one: then wait, and ask again.
        The authority's credential is read this way too: no run knows its version.
        """
        ...

    def pointed(self, ref: SecretRef) -> Version | None:
        """Which version readers by pointer get; None for nothing. Reads only; no value, but where nothing else tells.

        Behind a `lagging_pointer` it may be the one before. NotFound as `observe`.
        """
        ...

    def survey(self, ref: SecretRef, known: Version | None) -> Survey:
        """Look without trusting the ledger: the pointer readers follow, and everything pending. Reads only.

        `known` is the version the ledger calls current: a store with numbers looks for pending ones above the smaller
        of it and its own pointer. A pending label on the current version is what a finished rotation leaves.
        """
        ...

    def stage(self, ref: SecretRef, run_id: str, value: SecretValue, seen: Observation) -> Version:
        """Put `value` in the pending place under `run_id` (one write), invisible to readers of current.

        Repeating it with the same run and value gives the same version, also after a crash or a lost answer; where
        `idempotent_stage` is False a caller with an open intent asks `find_staged` first, and repeats only after None.
        Conflict `pending_foreign` when another run's pending value is there; Conflict `staged_differs` when
        this run staged another value before.
        """
        ...

    def find_staged(self, ref: SecretRef, run_id: str, hint: Mapping[str, str]) -> Version | None:
        """Recovery: the version this run staged, if it did, judged by the store alone. Reads only.

        `hint` is what the ledger remembers of the intent: `expected`, the newest version id known before staging
        (the current or, when higher, the last staged one), and `fingerprint`, that of the value.
        """
        ...

    def promote(self, ref: SecretRef, run_id: str, staged: Version, expected: Version | None) -> Version:
        """Make the staged value current if current still is `expected`; returns the live version.

        Conflict `current_moved` when it is not: nothing is overwritten. Already promoted by this run: the same answer.
        """
        ...

    def demote(self, ref: SecretRef, run_id: str, live: Version, back_to: Version) -> Version:
        """Undo `promote`: make `back_to` current again if current still is `live`; returns the live version."""
        ...

    def abandon(self, ref: SecretRef, run_id: str, staged: Version | None) -> None:
        """Undo `stage`: no pending value of this run remains. Nothing there is success. Never touches current.

        Repair clears a foreign pending version or placeholder the same way, by the version that `survey` showed; where
        the pointer lags a store may write twice then, to be sure that it is not current.
        """
        ...

    def dispose(self, ref: SecretRef, old: Version, live: Version | None = None) -> str:
        """After the proof of death: disable or destroy `old`; returns what was done (`destroyed`, `scheduled`, `kept`).

        Refused `version_is_current` when `old` is what readers get; `live` is what `read_live` just said in the same
        invocation, None makes the store look itself. Where `disposes` is False nothing is asked or done: `kept`.
        """
        ...


class Verdict(StrEnum):
    """What a target said when shown a credential."""

    ACCEPTED = "accepted"
    # the *authentication* was refused (28P01, 401 ...), not a permission, a network or a limit
    REFUSED = "refused"
    # anything else: says nothing about the credential
    UNPROVEN = "unproven"


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One showing of a credential to its target: verdict, the target's own code (`28P01`), and why."""

    verdict: Verdict
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Fence:
    """Who acts on a target: the claim's epoch rises with every claim of the secret, so an older run is refused."""

    run_id: str
    epoch: int


@dataclass(frozen=True, kw_only=True)
class Minted:
    """A new credential that nothing accepts yet, and facts about it that are not secret (slot, key id, user)."""

    value: SecretValue
    public: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class IssuerCapabilities:
    """What a credential type and its target can do; the only copy of each flag."""

    # old and new can be accepted at once (two slots, two users, two keys)
    overlaps: bool
    # the target refuses an older epoch, so a late call of a dead run cannot do harm
    fenced: bool
    # sessions opened with the old credential can be ended
    ends_sessions: bool
    # the current value is needed to mint the next one (which slot is in use)
    needs_current: bool
    # how many versions back the target can be made to accept again
    rollback_horizon: int
    # there is a target that can be asked; without one a proof of death is not applicable
    has_target: bool = True
    # the target makes the credential and shows its value once: the issuer is a `minting.TargetMinter`
    mints_at_target: bool = False
    # Keyturn acts on the target as its own function: the policy names no authority
    own_identity: bool = False
    # seconds for which the target may still answer as it did before a change
    settle_s: int = 0
    # the store's engine replaces it at the target in one: no pending value, and the proof comes with the promotion
    replaced_by_store: bool = False
    # the target knows when a credential was used last: the issuer is a `minting.UseWitness`
    tells_last_use: bool = False


class CredentialIssuer(Protocol):
    """One credential type at its target. Constructors take a ready client and the policy's target facts.

    All effects are idempotent for (value, fence) and raise Fenced when a newer epoch has touched the same slot.
    """

    kind: ClassVar[str]
    capabilities: ClassVar[IssuerCapabilities]

    def mint(self, current: SecretValue | None) -> Minted:
        """Make a new credential in memory. Pure but for randomness: no call to the target."""
        ...

    def apply(self, value: SecretValue, fence: Fence) -> None:
        """Make the target accept `value` beside the current one. Undo: `withdraw`."""
        ...

    def probe(self, value: SecretValue) -> Probe:
        """Show `value` to the target as a consumer would. Never raises for a refusal."""
        ...

    def check(self, public: Mapping[str, str], fence: Fence) -> Probe:
        """Ask the target, as authority and without the value, whether it still holds what this run applied."""
        ...

    def withdraw(self, value: SecretValue, fence: Fence) -> None:
        """Undo `apply` before promotion: the target accepts `value` no more; the current one is untouched."""
        ...

    def restore(self, value: SecretValue, fence: Fence) -> None:
        """Make the target accept an older staged `value` again (rollback after promotion). Never mints."""
        ...

    def revoke(self, value: SecretValue, fence: Fence) -> int:
        """Retire `value`: the target refuses it from now on and its sessions are ended; returns how many were."""
        ...
