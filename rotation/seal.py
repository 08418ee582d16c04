"""The seal of a catalogue's policy: its digest, encrypted by KMS under the names of stack and policy.

KMS encrypts with authentication, so that only who may encrypt under the catalogue's key can have made a seal, and none
fits another policy or stack. The program declares it (`infra/catalogue.py`); functions may only decrypt.
Why not an asymmetric signature: no resource makes one, and a step beside the deployment could be left out.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Any

from rotation.calls import Caller, Kind
from rotation.errors import Denied, NotFound, Refused

# Where the object's metadata keep it.
METADATA = "seal"
# The key of the encryption context that names the stack.
STACK = "keyturn-stack"


def context(stack: str, name: str) -> dict[str, str]:
    """What a seal is bound to: KMS decrypts it under the same words only."""
    return {STACK: stack, "keyturn-policy": name}


class KmsSeals:
    """`client` is a boto3 KMS client with vendor retries off; `key` the ARN of the catalogue's key."""

    def __init__(self, client: Any, key: str, stack: str, caller: Caller) -> None:
        self._client = client
        self._key = key
        self._stack = stack
        self._caller = caller

    def check(self, name: str, digest: str, seal: str) -> None:
        """Refused `policy_not_sealed` unless the deployment sealed exactly this digest for this policy."""
        try:
            blob = base64.b64decode(seal, validate=True)
        except binascii.Error:
            blob = b""
        if not blob or not hmac.compare_digest(self._sealed(name, blob), digest.encode()):
            raise _unsealed(name)

    def _sealed(self, name: str, blob: bytes) -> bytes:
        """The digest in the seal; empty when KMS says that this key did not make it under these names."""
        try:
            answer = self._caller.call(Kind.CATALOGUE, lambda: self._decrypted(name, blob))
        except Denied:
            raise
        except (Refused, NotFound):
            # InvalidCiphertextException, IncorrectKeyException
            return b""
        plain: bytes = answer["Plaintext"]
        return plain

    def _decrypted(self, name: str, blob: bytes) -> Any:
        bound = context(self._stack, name)
        return self._client.decrypt(CiphertextBlob=blob, KeyId=self._key, EncryptionContext=bound)


def _unsealed(name: str) -> Refused:
    return Refused(
        "policy_not_sealed",
        f"the catalogue's policy of `{name}` is not the one that was deployed",
        "look who wrote to the bucket (its versions are kept), then apply the stack again",
    )
