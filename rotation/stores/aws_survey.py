"""What Secrets Manager shows to repair: the labels, and whether the pending version holds a value.

A version's id is the token of the rotation that made it, so the store itself tells the owner: of Keyturn's runs as of
RotateSecret's. Not here: versions without labels. They are deprecated, nobody's pointer leads to them, and AWS removes
them; a version that lost AWSPENDING is therefore no longer an orphan.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

from rotation.contract import Pending, Survey, Version
from rotation.errors import NotFound, Refused
from rotation.handwork import Made
from rotation.stores.aws_labels import CURRENT, Labels
from rotation.value import SecretValue


def survey(labels: Labels, read: Callable[[Version], SecretValue]) -> Survey:
    """The current version, and the pending one as `read` (GetSecretValue by id) finds it: full, empty or binary."""
    current, pending = labels.version(CURRENT), labels.pending()
    return Survey(
        current=Version(id=current) if current else None,
        pendings=(_pending(pending, read),) if pending else (),
    )


def _pending(version_id: str, read: Callable[[Version], SecretValue]) -> Pending:
    version = Version(id=version_id)
    try:
        fingerprint = read(version).fingerprint()
    except NotFound:
        # registered by RotateSecret: a label on a version that never got a value
        return Pending(version=version, owner=version_id, empty=True)
    except Refused:
        # bytes, which Keyturn never stages: nothing to compare with
        fingerprint = ""
    return Pending(version=version, owner=version_id, fingerprint=fingerprint)


def made(answer: dict[str, Any]) -> list[Made]:
    """The versions of one page of ListSecretVersionIds."""
    return [
        Made(
            id=one["VersionId"],
            made_at=one["CreatedDate"].astimezone(UTC).isoformat(),
            current=CURRENT in one.get("VersionStages", []),
        )
        for one in answer["Versions"]
    ]
