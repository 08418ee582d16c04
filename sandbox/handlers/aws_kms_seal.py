"""`aws:kms/ciphertext:Ciphertext`: a text that KMS encrypted once, at creation.

Nothing lies in the cloud: the ciphertext is the id, and reading it back asks KMS whether it still says the same.
Deliberately not here: changes, since every input makes another ciphertext.
"""

from __future__ import annotations

import base64
from typing import Any

from botocore.exceptions import ClientError

from sandbox.handlers import aws_calls as aws
from sandbox.handlers.contract import Properties

_SERVES = frozenset({"keyId", "plaintext", "context"})


class Ciphertext:
    """The id is the ciphertext in base64."""

    replace_on = _SERVES
    computed = frozenset({"ciphertextBlob"})

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def create(self, _name: str, inputs: Properties, /) -> tuple[str, Properties]:
        """Encrypt the text under the context."""
        unknown = sorted(inputs.keys() - _SERVES)
        if unknown:
            raise ValueError(f"the sandbox does not serve {', '.join(unknown)} of Ciphertext")
        answer = self._clients.of("kms").encrypt(
            KeyId=inputs["keyId"], Plaintext=inputs["plaintext"].encode(), **_bound(inputs)
        )
        blob = base64.b64encode(answer["CiphertextBlob"]).decode()
        return blob, {**inputs, "ciphertextBlob": blob}

    def read(self, id_: str, inputs: Properties, /) -> Properties | None:
        """The inputs, while KMS decrypts the id to the same text; None otherwise."""
        try:
            answer = self._clients.of("kms").decrypt(
                CiphertextBlob=base64.b64decode(id_), KeyId=inputs["keyId"], **_bound(inputs)
            )
        except ClientError:
            return None
        # the emulator authenticates nothing: under another key it answers bytes without a meaning
        same = answer["Plaintext"] == inputs["plaintext"].encode()
        return {**inputs, "ciphertextBlob": id_} if same else None

    def update(self, id_: str, _old_outputs: Properties, inputs: Properties, /) -> Properties:
        """Not reached: every input replaces."""
        raise TypeError(f"a ciphertext is not changed ({len(id_)} characters, {len(inputs)} inputs)")

    def delete(self, _id: str, _outputs: Properties, /) -> None:
        """There is nothing to remove."""


def _bound(inputs: Properties) -> dict[str, Any]:
    return {"EncryptionContext": inputs["context"]} if inputs.get("context") else {}
