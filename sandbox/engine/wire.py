"""Values as Pulumi's protocol carries them, and as handlers see them.

On the wire a value is a protobuf Struct in which dictionaries with a signature key stand for secrets, assets and
references (source: `pulumi.runtime.rpc` and
https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig). The SDK's own decoder pushes secrets to
the top level and loses hashes, so both the engine and the provider keep the wire form and derive what they need
from it. Deliberately not here: what may be stored (`sealing.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf import struct_pb2

Wire = dict[str, Any]

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  # a mark of the protocol, not a secret
ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
# stands for any value that a preview cannot know
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
# bookkeeping of bridged providers inside inputs; means nothing to a handler
_DEFAULTS = "__defaults"


def from_struct(struct: struct_pb2.Struct) -> Wire:
    """The Struct as dictionaries and lists; whole numbers, which the wire carries as doubles, become int again."""
    return {key: _from_value(value) for key, value in struct.fields.items() if key != _DEFAULTS}


def _from_value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return from_struct(value.struct_value)
    if kind == "list_value":
        return [_from_value(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind is None or kind == "null_value":
        return None
    return getattr(value, kind)


def to_struct(wire: Mapping[str, Any]) -> struct_pb2.Struct:
    """The Struct for `wire`; absent (None) properties are left out, as Pulumi does."""
    struct = struct_pb2.Struct()
    struct.update({key: value for key, value in wire.items() if value is not None})
    return struct


def signature(value: Any) -> str:
    """The signature of a marked dictionary, empty for anything else."""
    return str(value.get(SIGNATURE, "")) if isinstance(value, dict) else ""


def children(value: Any) -> Iterator[Any]:
    """The values directly inside a dictionary or list."""
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def has_secret(value: Any) -> bool:
    """Whether a secret stands anywhere inside."""
    marked = signature(value)
    return marked == SECRET or (marked == OUTPUT and bool(value.get("secret"))) or any(map(has_secret, children(value)))


def has_unknown(value: Any) -> bool:
    """Whether anything inside is unknown in this preview."""
    return bool(value == UNKNOWN) or any(map(has_unknown, children(value)))


def plain(value: Any, root: Path) -> Any:
    """What a handler gets: secrets unwrapped, assets as Pulumi objects with paths below `root`, references as ids."""
    match signature(value):
        case "":
            return _plain_container(value, root)
        case mark if mark in (SECRET, OUTPUT):
            return plain(value.get("value", UNKNOWN), root)
        case mark if mark == RESOURCE:
            return value.get("id") or value["urn"]
        case mark if mark in (ASSET, ARCHIVE):
            return _file(value, root)
        case mark:
            raise ValueError(f"unknown signature {mark} in a property")


def _plain_container(value: Any, root: Path) -> Any:
    if isinstance(value, dict):
        return {key: plain(item, root) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item, root) for item in value]
    return value


def _file(value: Wire, root: Path) -> pulumi.Asset | pulumi.Archive:
    is_asset = value[SIGNATURE] == ASSET
    if value.get("assets") is not None and not is_asset:
        return pulumi.AssetArchive({key: _file(item, root) for key, item in value["assets"].items()})
    if value.get("path"):
        path = str(root / value["path"])
        return pulumi.FileAsset(path) if is_asset else pulumi.FileArchive(path)
    if value.get("uri"):
        return pulumi.RemoteAsset(value["uri"]) if is_asset else pulumi.RemoteArchive(value["uri"])
    return pulumi.StringAsset(value.get("text", ""))


def has_file(value: Any) -> bool:
    """Whether a handler's value is, or holds, an asset or an archive."""
    return isinstance(value, pulumi.Asset | pulumi.Archive) or any(map(has_file, children(value)))


def secret(value: Any) -> Wire:
    """The envelope that keeps `value` secret in the program."""
    return {SIGNATURE: SECRET, "value": value}


def outputs(values: Mapping[str, Any], inputs: Wire, root: Path, secret_keys: frozenset[str] = frozenset()) -> Wire:
    """A handler's outputs in wire form: what equals an input keeps the input's form, secrets and hashes included.

    A key is secret as a whole when it is named in `secret_keys`, or when its input held a secret and the value differs.
    """
    answer: Wire = {}
    for key, value in values.items():
        given = inputs.get(key)
        if key in inputs and (has_file(value) or plain(given, root) == value):
            encoded = given
        else:
            encoded = _listed(value)
            if has_secret(given):
                encoded = secret(encoded)
        answer[key] = secret(encoded) if key in secret_keys and not has_secret(encoded) else encoded
    return answer


def _listed(value: Any) -> Any:
    """Tuples and other mappings become what a Struct can hold."""
    if isinstance(value, pulumi.Asset | pulumi.Archive):
        raise TypeError("an output that is an asset must have come in as an input")
    if isinstance(value, Mapping):
        return {str(key): _listed(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_listed(item) for item in value]
    return value
