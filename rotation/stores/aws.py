"""AWS Secrets Manager: staging labels are the channels, the label move is the compare-and-set.

Source: botocore's Secrets Manager service model and the AWS user guide. The run's id is the ClientRequestToken, so
that a repeated put is a no-op and the version's id is known before the call. Not here: native rotation's events
(`handlers/aws`), and disposal: versions cannot be deleted, a dead one loses its labels with the next rotation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rotation.calls import Caller, Kind
from rotation.contract import Observation, Remembered, SecretRef, StoreCapabilities, Survey, Version
from rotation.errors import Conflict, KeyturnError, NotFound, Refused
from rotation.handwork import Made
from rotation.stores import aws_refusals, aws_survey
from rotation.stores.aws_labels import CURRENT, PENDING, PREVIOUS, Labels, RotationState
from rotation.stores.limits import check_size
from rotation.value import SecretValue

__all__ = ["CURRENT", "PENDING", "PREVIOUS", "AwsStore", "RotationState"]

# The service's own limits (botocore's model of PutSecretValue, quotas of the user guide).
MAX_VALUE_BYTES = 65_536
VERSIONS_KEPT = 100


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
        tells_reads=True,
        rotates_itself=True,
    )

    def __init__(self, client: Any, caller: Caller) -> None:
        self._client = client
        self._caller = caller

    def observe(self, ref: SecretRef, remembered: Remembered) -> Observation:
        """Labels (DescribeSecret), then the current value: two reads, one where nothing is current yet."""
        del remembered  # the labels are the pointers
        labels = self._labels(ref)
        current = labels.version(CURRENT)
        return Observation(
            current=_version(current),
            previous=_version(labels.version(PREVIOUS)),
            pending=_version(labels.pending()),
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

    def pointed(self, ref: SecretRef) -> Version | None:
        """The label (DescribeSecret): one read."""
        return _version(self._labels(ref).version(CURRENT))

    def survey(self, ref: SecretRef, known: Version | None) -> Survey:
        """Labels (DescribeSecret), then the pending version: two reads, or one."""
        del known  # the labels are the pointers
        return aws_survey.survey(self._labels(ref), lambda version: self.read(ref, version))

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
        self._move_current(ref, to=staged, away_from=expected, gone=aws_refusals.staged_missing(ref))
        return staged

    def _promote_first(self, ref: SecretRef, staged: Version) -> Version:
        # AWS labels the first version of a secret AWSCURRENT by itself, whatever the put asked for
        current = self._labels(ref).version(CURRENT)
        if current is None:
            self._move_current(ref, to=staged, away_from=None, gone=aws_refusals.staged_missing(ref))
        elif current != staged.id:
            raise aws_refusals.moved(ref)
        return staged

    def demote(self, ref: SecretRef, run_id: str, live: Version, back_to: Version) -> Version:
        """Move AWSCURRENT back, and take AWSPENDING off the version that is left, where its promotion left it there.

        One or two writes and a read. AWSPREVIOUS then points at the version rolled back. The pending label must not
        stay: Secrets Manager would take its own next rotation for one that is still under way.
        AWSPREVIOUS keeps the version before the current one; older ones have no label, and AWS removes them when
        there are more than 100. NotFound `beyond_rollback_horizon` when it did.
        """
        del run_id
        self._move_current(ref, to=back_to, away_from=live, gone=aws_refusals.dropped(ref, back_to))
        self._take_pending_off(ref, live.id)
        return back_to

    def abandon(self, ref: SecretRef, run_id: str, staged: Version | None) -> None:
        """Take AWSPENDING off `staged` (None: this run's version), unless that is current: one read, one write.

        No MoveToVersionId, and no CancelRotateSecret, which would turn the schedule off. The label is taken off
        wherever the service shows it, in its own order: on AWS that is one version, and never the current one.
        """
        self._take_pending_off(ref, staged.id if staged else run_id)

    def _take_pending_off(self, ref: SecretRef, version: str) -> None:
        labels = self._labels(ref)
        holders = labels.holders(PENDING)
        if version not in holders or version == labels.version(CURRENT):
            return
        for holder in holders:
            self._remove_pending(ref, holder)

    def _remove_pending(self, ref: SecretRef, holder: str) -> None:
        try:
            self._caller.call(
                Kind.WRITE,
                lambda: self._client.update_secret_version_stage(
                    SecretId=ref.path, VersionStage=PENDING, RemoveFromVersionId=holder
                ),
            )
        except (Refused, NotFound):
            # refused is also the repetition of a removal whose answer was lost
            if holder in self._labels(ref).holders(PENDING):
                raise

    def dispose(self, ref: SecretRef, old: Version, live: Version | None = None) -> str:
        """Nothing to do: AWS deletes unlabelled versions itself, and a rollback may want the value until then."""
        del ref, old, live
        return "kept"

    def _move_current(self, ref: SecretRef, *, to: Version, away_from: Version | None, gone: NotFound) -> None:
        remove = {"RemoveFromVersionId": away_from.id} if away_from else {}
        try:
            self._caller.call(
                Kind.WRITE,
                lambda: self._client.update_secret_version_stage(
                    SecretId=ref.path, VersionStage=CURRENT, MoveToVersionId=to.id, **remove
                ),
            )
        except (Refused, NotFound) as exc:
            self._settle_refused_move(ref, to, away_from, exc, gone)

    def _settle_refused_move(
        self, ref: SecretRef, to: Version, away_from: Version | None, refusal: KeyturnError, gone: NotFound
    ) -> None:
        """A refused move is done already (a repeated call), leads to a version that is gone, or met another's move."""
        current = _version(self._labels(ref).version(CURRENT))
        if current == to:
            return
        if current == away_from and not self._holds_value(ref, to):
            raise gone from refusal
        raise aws_refusals.moved(ref) from refusal

    def _holds_value(self, ref: SecretRef, version: Version) -> bool:
        try:
            self.read(ref, version)
        except NotFound:
            return False
        return True

    def _labels(self, ref: SecretRef) -> Labels:
        answer = self._caller.call(Kind.READ, lambda: self._client.describe_secret(SecretId=ref.path))
        return Labels.of(answer)

    def versions(self, ref: SecretRef) -> list[Made]:
        """ListSecretVersionIds, deprecated ones too: a page of a hundred, which is as many as AWS keeps."""
        asked = {"SecretId": ref.path, "IncludeDeprecated": True, "MaxResults": VERSIONS_KEPT}
        return aws_survey.made(self._caller.call(Kind.READ, lambda: self._client.list_secret_version_ids(**asked)))

    def rotation_state(self, secret_id: str) -> RotationState:
        """DescribeSecret for native rotation: `secret_id` is a name or an ARN."""
        answer = self._caller.call(Kind.READ, lambda: self._client.describe_secret(SecretId=secret_id))
        return RotationState(
            name=answer["Name"],
            enabled=bool(answer.get("RotationEnabled")),
            labels=Labels.of(answer).by_version,
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
