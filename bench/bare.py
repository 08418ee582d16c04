"""The yardstick of times: what a rotation comes down to when nothing is checked, recorded or proven.

One round trip is get, put as pending, move the label: three calls of the AWS SDK on the same emulator, warm, from this
process, without a function or a machine around them. It is what a script would do, not what a script should do.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

_SECRET = "bench/bare"  # noqa: S105 - a name
_CURRENT, _PENDING = "AWSCURRENT", "AWSPENDING"


class BareTrip:
    """Round trips on a secret of its own."""

    def __init__(self, secrets: Any) -> None:
        self._secrets = secrets
        self._secrets.create_secret(Name=_SECRET, SecretString=uuid.uuid4().hex)
        # the first call of a client sets up what the others use
        self.trip()

    def trip(self) -> float:
        """Seconds of one round trip."""
        token, value = str(uuid.uuid4()), uuid.uuid4().hex
        begun = time.perf_counter()
        current = self._secrets.get_secret_value(SecretId=_SECRET, VersionStage=_CURRENT)["VersionId"]
        self._secrets.put_secret_value(
            SecretId=_SECRET, ClientRequestToken=token, SecretString=value, VersionStages=[_PENDING]
        )
        self._secrets.update_secret_version_stage(
            SecretId=_SECRET, VersionStage=_CURRENT, MoveToVersionId=token, RemoveFromVersionId=current
        )
        return time.perf_counter() - begun
