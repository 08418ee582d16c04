"""What handlers of AWS types share: clients of the emulator, telling 'gone' from failed, letter case, tags.

Clients are made when first asked for, since a preview needs none, and kept: loading a service's model takes longer than
the call. Deliberately not here: anything of one service.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.facts import Facts

# the emulator takes any key; this one stands for its account 000000000000
_KEY = "test"
# the emulator answers in milliseconds, but unpacks a function of megabytes on a machine under load
_TIMEOUT_S = 60
# as many as the engine makes at once (`engine.server.THREADS`); a connection above the limit serves one call only
_CONNECTIONS = 16
_CONFIG = Config(
    max_pool_connections=_CONNECTIONS,
    connect_timeout=_TIMEOUT_S,
    read_timeout=_TIMEOUT_S,
    # loopback: a proxy of the environment must not see the call
    proxies={},
    retries={"mode": "standard", "total_max_attempts": 3},
    s3={"addressing_style": "path"},
    # the SDK's own, which nobody reads here, is put together anew for every call, a tenth of what a call takes
    user_agent="keyturn-sandbox",
)
# a session makes one client at a time
_MAKING = threading.Lock()
# how the services say that something is not there
_GONE = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchEntity",
        "NoSuchKey",
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchTagSet",
        "NotFound",
        "NotFoundException",
        "OwnershipControlsNotFoundError",
        "QueueDoesNotExist",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "ServerSideEncryptionConfigurationNotFoundError",
        "StateMachineDoesNotExist",
    }
)

T = TypeVar("T")


class AwsClients:
    """boto3 clients of one emulator by service name."""

    def __init__(self, facts: Facts) -> None:
        self._endpoint = facts.aws_endpoint
        self._made: dict[str, Any] = {}
        self._session = _session(facts.aws_region)

    def of(self, service: str) -> Any:
        """The client of `service`, as boto3 names it."""
        with _MAKING:
            if service not in self._made:
                make: Any = self._session.client
                self._made[service] = make(service, endpoint_url=self._endpoint, config=_CONFIG)
            return self._made[service]


@cache
def _session(region: str) -> boto3.session.Session:
    """One for every sandbox of this process: each would read the services' models for itself."""
    return boto3.session.Session(aws_access_key_id=_KEY, aws_secret_access_key=_KEY, region_name=region)


def code_of(exc: ClientError) -> str:
    """The service's own name of the error."""
    return str(exc.response.get("Error", {}).get("Code", ""))


def found(call: Callable[..., T], *arguments: Any, **named: Any) -> T | None:
    """The answer of a call, None when the service says that the thing is not there."""
    try:
        return call(*arguments, **named)
    except ClientError as exc:
        if code_of(exc) in _GONE:
            return None
        raise


def made(codes: Collection[str], call: Callable[..., T], **named: Any) -> T | None:
    """The answer of a creation, None when the service says, by one of `codes`, that it exists already."""
    try:
        return call(**named)
    except ClientError as exc:
        if code_of(exc) in codes:
            return None
        raise


def pascal(value: Any, names: Mapping[str, str] | None = None) -> Any:
    """The same document with keys as AWS writes them: `roleArn` is `RoleArn`; `names` holds the exceptions."""
    if isinstance(value, dict):
        known = names or {}
        return {known.get(key, key[:1].upper() + key[1:]): pascal(item, names) for key, item in value.items()}
    return [pascal(item, names) for item in value] if isinstance(value, list) else value


def camel(value: Any, names: Mapping[str, str] | None = None) -> Any:
    """The inverse of `pascal`, given the same exceptions."""
    if isinstance(value, dict):
        known = {there: here for here, there in (names or {}).items()}
        return {known.get(key, key[:1].lower() + key[1:]): camel(item, names) for key, item in value.items()}
    return [camel(item, names) for item in value] if isinstance(value, list) else value


def document(live: Any, wished: Any) -> str:
    """A JSON document as the service has it: in the program's spelling when it says the same."""
    there = json.loads(live) if isinstance(live, str) else live
    if isinstance(wished, str) and json.loads(wished) == there:
        return wished
    return json.dumps(there)


def settle(
    wished: Mapping[str, str],
    live: Mapping[str, str],
    add: Callable[[dict[str, str]], object],
    drop: Callable[[list[str]], object],
) -> None:
    """Make tags what the program says: set what is missing or differs, remove the rest. No call when they agree."""
    missing = {key: value for key, value in wished.items() if live.get(key) != value}
    extra = sorted(live.keys() - wished.keys())
    if missing:
        add(missing)
    if extra:
        drop(extra)


def listed(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags in the list form of most services."""
    return [{key: name, value: content} for name, content in tags.items()]


def unlisted(tags: Collection[Mapping[str, str]], key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Tags from the list form."""
    return {tag[key]: tag[value] for tag in tags}
