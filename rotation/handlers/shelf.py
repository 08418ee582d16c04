"""The catalogue for the functions: control for every claim, a store's for preflights and AWS's own rotations."""

from __future__ import annotations

from collections.abc import Mapping

from rotation import aws_client
from rotation.catalogue import Catalogue
from rotation.environment import Bench, caller, needed
from rotation.seal import KmsSeals


class Shelf:
    """Keeps the clients warm and makes a `Catalogue` per invocation."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._bucket = needed(environment, "KEYTURN_CATALOGUE_BUCKET")
        self._key = needed(environment, "KEYTURN_CATALOGUE_KEY")
        self._stack = needed(environment, "KEYTURN_STACK")
        self._s3 = aws_client.client("s3")
        self._kms = aws_client.client("kms")

    def catalogue(self, bench: Bench) -> Catalogue:
        """The policies as they were deployed, calls counted on this bench."""
        seals = KmsSeals(self._kms, self._key, self._stack, caller("kms", bench.meter, bench.breaker))
        return Catalogue(self._s3, self._bucket, caller("s3", bench.meter, bench.breaker), seals)
