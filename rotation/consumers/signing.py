"""Signs events with an asymmetric key of KMS: consumers hold public keys only, and nobody but a store's function signs.

The digest is signed, because KMS takes at most 4 KiB raw. The key's ARN stands in the event, so that old and new key
can overlap. Not here: the verification, which is the consumer's.
"""

from __future__ import annotations

import base64
from typing import Any

from rotation.calls import Caller, Kind
from rotation.consumers import event
from rotation.consumers.event import Fields, Notice

ALGORITHM = "ECDSA_SHA_256"


class KmsSigner:
    """`client` is a boto3 KMS client, `key` the ARN of an ECC_NIST_P256 key."""

    def __init__(self, client: Any, key: str, caller: Caller) -> None:
        self._client = client
        self._key = key
        self._caller = caller

    def sign(self, notice: Notice) -> Fields:
        """The event: the notice's fields, the key's id, and the DER signature in base64url without padding."""
        fields = notice.fields(self._key)
        answer = self._caller.call(
            Kind.PUBLISH,
            lambda: self._client.sign(
                KeyId=self._key,
                Message=event.digest(fields),
                MessageType="DIGEST",
                SigningAlgorithm=ALGORITHM,
            ),
        )
        return {**fields, event.SIGNATURE: base64.urlsafe_b64encode(answer["Signature"]).rstrip(b"=").decode()}
