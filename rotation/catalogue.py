"""The catalogue: one readable object per policy in a versioned bucket, the program writes, functions read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rotation.calls import Caller, Kind
from rotation.errors import NotFound, Refused
from rotation.policy import Policy, from_document
from rotation.seal import METADATA

PREFIX = "policies/"
SUFFIX = ".json"
# One line per policy, its name and its digest: what the sweep compares with what it has seen.
INDEX = "index.txt"
# One line per policy, where its secret lies: what an event that knows only a store's path is looked up in.
PLACES = "places.txt"
_BETWEEN = "\t"


def object_key(name: str) -> str:
    """Where the policy called `name` lies in the bucket."""
    return f"{PREFIX}{name}{SUFFIX}"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a secret lies, whose policy it is, and which events start a run. A hint: the sealed policy has the word."""

    store: str
    path: str
    name: str
    triggers: tuple[str, ...]


def places(policies: Sequence[Policy]) -> str:
    """The lines of `PLACES`, by name; the policies must be resolved."""
    lines = (
        _BETWEEN.join((one.store, one.ref.path, one.name, ",".join(one.triggers)))
        for one in sorted(policies, key=lambda one: one.name)
    )
    return "".join(f"{line}\n" for line in lines)


class Seals(Protocol):
    """Whether the deployment wrote what the catalogue shows."""

    def check(self, name: str, digest: str, seal: str) -> None:
        """Refused `policy_not_sealed`."""
        ...


class Catalogue:
    """`client` is a boto3 S3 client with vendor retries off."""

    def __init__(self, client: Any, bucket: str, caller: Caller, seals: Seals) -> None:
        self._client = client
        self._bucket = bucket
        self._caller = caller
        self._seals = seals

    def policy(self, name: str) -> Policy:
        """The policy of a secret as it was deployed; Refused `unknown_secret`, `policy_not_sealed`."""
        try:
            text, seal = self._caller.call(Kind.CATALOGUE, lambda: self._read(object_key(name)))
        except NotFound as exc:
            raise Refused(
                "unknown_secret", f"no policy names the secret `{name}`", "list the known ones with `keyturn status`"
            ) from exc
        policy = from_document(text)
        self._seals.check(name, policy.digest(), seal)
        return policy

    def _read(self, key: str) -> tuple[str, str]:
        found = self._client.get_object(Bucket=self._bucket, Key=key)
        body: bytes = found["Body"].read()
        return body.decode(), str(found.get("Metadata", {}).get(METADATA, ""))

    def names(self) -> list[str]:
        """The names of all policies, sorted."""
        names: list[str] = []
        request = {"Bucket": self._bucket, "Prefix": PREFIX}
        while True:
            page = self._caller.call(Kind.CATALOGUE, lambda: self._client.list_objects_v2(**request))
            names += [item["Key"].removeprefix(PREFIX).removesuffix(SUFFIX) for item in page.get("Contents", [])]
            if not page.get("IsTruncated"):
                return sorted(names)
            request["ContinuationToken"] = page["NextContinuationToken"]

    def index_tag(self) -> str:
        """The ETag of the index: another one when any policy changed; "" where the stack has none yet."""
        try:
            found = self._caller.call(Kind.CATALOGUE, lambda: self._client.head_object(Bucket=self._bucket, Key=INDEX))
        except NotFound:
            return ""
        return str(found["ETag"])

    def index(self) -> dict[str, str]:
        """The digest of every policy by name."""
        found = self._caller.call(Kind.CATALOGUE, lambda: self._client.get_object(Bucket=self._bucket, Key=INDEX))
        lines = (line.decode().rpartition(" ") for line in found["Body"].iter_lines() if line)
        return {name: digest for name, _, digest in lines}

    def some(self, after: str, most: int) -> list[str]:
        """Names of at most so many policies, those that come after a name, in the order of S3 (UTF-8)."""
        request = {"Bucket": self._bucket, "Prefix": PREFIX, "MaxKeys": most}
        if after:
            request["StartAfter"] = object_key(after)
        page = self._caller.call(Kind.CATALOGUE, lambda: self._client.list_objects_v2(**request))
        return [item["Key"].removeprefix(PREFIX).removesuffix(SUFFIX) for item in page.get("Contents", [])]

    def places(self) -> list[Place]:
        """Where every secret lies; none where the stack was deployed by an older program."""
        try:
            found = self._caller.call(Kind.CATALOGUE, lambda: self._client.get_object(Bucket=self._bucket, Key=PLACES))
        except NotFound:
            return []
        lines = (line.decode().split(_BETWEEN) for line in found["Body"].iter_lines() if line)
        return [
            Place(store=store, path=path, name=name, triggers=tuple(word for word in triggers.split(",") if word))
            for store, path, name, triggers in lines
        ]
