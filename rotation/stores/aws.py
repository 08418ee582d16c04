"""AWS Secrets Manager: staging labels are the channels, the label move is the compare-and-set.

Source: botocore's Secrets Manager service model and the AWS user guide. The run's id is the ClientRequestToken, so
that a repeated put is a no-op and the version's id is known before the call. Not here: native rotation's events
(`handlers/aws`), and disposal: versions cannot be deleted, a dead one loses its labels with the next rotation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from rotation.calls import Caller, Kind
from rotation.contract import Observation, Remembered, SecretRef, StoreCapabilities, Version
from rotation.errors import Conflict, KeyturnError, NotFound, Refused
from rotation.stores.limits import check_size
from rotation.value import SecretValue

CURRENT = "AWSCURRENT"
PENDING = "AWSPENDING"
PREVIOUS = "AWSPREVIOUS"
# The service's own limits (botocore's model of PutSecretValue, quotas of the user guide).
MAX_VALUE_BYTES = 65_536
VERSIONS_KEPT = 100


@dataclass(frozen=True, kw_only=True)
class RotationState:
    """What the four-step contract checks: `labels` maps a version's id to its staging labels."""

    name: str
    enabled: bool
    labels: Mapping[str, tuple[str, ...]]
    tags: Mapping[str, str]


class AwsStore:
    """Secrets of one account and region. `client` is a boto3 Secrets Manager client with vendor retries off."""

    name: ClassVar[str] = "aws"
    capabilities: ClassVar[StoreCapabilities] = StoreCapabilities(
        hidden_pending=True,
        fenced_promotion=True,
        idempotent_stage=True,
        disposes=False,
        lagging_pointer=False,
        rollback_horizon=VERSIONS_KEPT,
        max_value_bytes=MAX_VALUE_BYTES,
    )

    def __init__(self, client: Any, caller: Caller) -> None:
        self._client = client
        self._caller = caller

    def observe(self, ref: SecretRef, remembered: Remembered) -> Observation:
        """Labels (DescribeSecret), then the current value: two reads, one where nothing is current yet."""
        del remembered  # the labels are the pointers
        labels = self._labels(ref)
        current = labels.get(CURRENT)
        pending = labels.get(PENDING)
        # AWS leaves AWSPENDING on the promoted version: that is a finished rotation, not a pending one
        return Observation(
            current=_version(current),
            previous=_version(labels.get(PREVIOUS)),
            pending=_version(pending if pending != current else None),
            token=current or "",
            value=self.read(ref, Version(id=current)) if current else None,
        )

    def read(self, ref: SecretRef, version: Version) -> SecretValue:
        """GetSecretValue by version id. A version may not be found right after its put: asked again before NotFound."""
        answer = self._caller.call(
            Kind.READ,
            lambda: self._client.get_secret_value(SecretId=ref.path, VersionId=version.id),
            also_retry=(NotFound,),
        )
        return _text(ref, answer)

    def read_live(self, ref: SecretRef) -> tuple[Version, SecretValue]:
        """GetSecretValue of AWSCURRENT, and which version that is."""
        answer = self._caller.call(
            Kind.READ, lambda: self._client.get_secret_value(SecretId=ref.path, VersionStage=CURRENT)
        )
        return Version(id=answer["VersionId"]), _text(ref, answer)

    def stage(self, ref: SecretRef, run_id: str, value: SecretValue, seen: Observation) -> Version:
        """PutSecretValue with AWSPENDING only: without the label AWS would make it current at once."""
        check_size(value, self.capabilities)
        if seen.pending and seen.pending.id != run_id:
            raise Conflict(
                "pending_foreign",
                f"another rotation's pending version is on {ref.path}",
                "nothing was changed; find out whose it is with `keyturn history`",
            )
        try:
            self._caller.call(Kind.WRITE, lambda: self._put(ref, run_id, value))
        except Conflict as exc:
            raise Conflict("staged_differs", f"this run staged another value in {ref.path} before") from exc
        return Version(id=run_id)

    def _put(self, ref: SecretRef, run_id: str, value: SecretValue) -> None:
        self._client.put_secret_value(
            SecretId=ref.path,
            ClientRequestToken=run_id,
            SecretString=value.unsafe_reveal(),
            VersionStages=[PENDING],
        )

    def find_staged(self, ref: SecretRef, run_id: str, hint: Mapping[str, str]) -> Version | None:
        """A version of this run with a value; the empty placeholder of RotateSecret does not count.

        Asked again before None, as `read` is: taken for absent, a version just put would be minted again.
        """
        del hint  # the version's id is the run's: nothing needs remembering
        try:
            self._caller.call(
                Kind.READ,
                lambda: self._client.get_secret_value(SecretId=ref.path, VersionId=run_id),
                also_retry=(NotFound,),
            )
        except NotFound:
            return None
        return Version(id=run_id)

    def promote(self, ref: SecretRef, run_id: str, staged: Version, expected: Version | None) -> Version:
        """Move AWSCURRENT: one write. RemoveFromVersionId must match, which makes it the compare-and-set."""
        del run_id
        if expected is None:
            return self._promote_first(ref, staged)
        self._move(ref, CURRENT, to=staged.id, away_from=expected.id)
        return staged

    def _promote_first(self, ref: SecretRef, staged: Version) -> Version:
        # AWS labels the first version of a secret AWSCURRENT by itself, whatever the put asked for
        current = self._labels(ref).get(CURRENT)
        if current is None:
            self._move(ref, CURRENT, to=staged.id, away_from=None)
        elif current != staged.id:
            raise _moved(ref)
        return staged

    def demote(self, ref: SecretRef, run_id: str, live: Version, back_to: Version) -> Version:
        """Move AWSCURRENT back: one write. AWSPREVIOUS then points at the version rolled back."""
        del run_id
        self._move(ref, CURRENT, to=back_to.id, away_from=live.id)
        return back_to

    def abandon(self, ref: SecretRef, run_id: str, staged: Version | None) -> None:
        """Take AWSPENDING off this run's version, unless that version is current: then nothing is pending."""
        del staged
        if not self._is_pending(ref, run_id):
            return
        try:
            self._caller.call(
                Kind.WRITE,
                lambda: self._client.update_secret_version_stage(
                    SecretId=ref.path, VersionStage=PENDING, RemoveFromVersionId=run_id
                ),
            )
        except (Refused, NotFound):
            # refused is also the repetition of a removal whose answer was lost
            if self._is_pending(ref, run_id):
                raise

    def _is_pending(self, ref: SecretRef, run_id: str) -> bool:
        labels = self._labels(ref)
        return labels.get(PENDING) == run_id and labels.get(CURRENT) != run_id

    def dispose(self, ref: SecretRef, old: Version, live: Version | None = None) -> str:
        """Nothing to do: AWS deletes unlabelled versions itself, and a rollback may want the value until then."""
        del ref, old, live
        return "kept"

    def _move(self, ref: SecretRef, label: str, *, to: str, away_from: str | None) -> None:
        remove = {"RemoveFromVersionId": away_from} if away_from else {}
        try:
            self._caller.call(
                Kind.WRITE,
                lambda: self._client.update_secret_version_stage(
                    SecretId=ref.path, VersionStage=label, MoveToVersionId=to, **remove
                ),
            )
        except (Refused, NotFound) as exc:
            self._settle_refused_move(ref, label, to, exc)

    def _settle_refused_move(self, ref: SecretRef, label: str, to: str, refusal: KeyturnError) -> None:
        """A refused move is done already (a repeated call), or somebody else moved the label."""
        labels = self._labels(ref)
        if labels.get(label) != to:
            raise _moved(ref) from refusal

    def _labels(self, ref: SecretRef) -> dict[str, str]:
        """Label to version id. DescribeSecret, because ListSecretVersionIds hides a pending version without a value."""
        answer = self._caller.call(Kind.READ, lambda: self._client.describe_secret(SecretId=ref.path))
        stages: dict[str, list[str]] = answer.get("VersionIdsToStages") or {}
        return {label: version for version, labels in stages.items() for label in labels}

    def rotation_state(self, secret_id: str) -> RotationState:
        """DescribeSecret for native rotation: `secret_id` is a name or an ARN."""
        answer = self._caller.call(Kind.READ, lambda: self._client.describe_secret(SecretId=secret_id))
        return RotationState(
            name=answer["Name"],
            enabled=bool(answer.get("RotationEnabled")),
            labels={v: tuple(labels) for v, labels in (answer.get("VersionIdsToStages") or {}).items()},
            tags={tag["Key"]: tag["Value"] for tag in answer.get("Tags") or []},
        )


def _text(ref: SecretRef, answer: Mapping[str, Any]) -> SecretValue:
    if "SecretString" in answer:
        return SecretValue(answer["SecretString"])
    if "SecretBinary" in answer:
        raise Refused("binary_value", f"{ref.path} holds bytes, not text", "store the credential as a JSON text")
    raise NotFound("version_empty", f"a version of {ref.path} has no value")


def _version(version_id: str | None) -> Version | None:
    return Version(id=version_id) if version_id else None


def _moved(ref: SecretRef) -> Conflict:
    return Conflict(
        "current_moved",
        f"the current version of {ref.path} is not the one this run started from; nothing was overwritten",
        "find out who moved it (`keyturn history`), then rotate again",
    )
