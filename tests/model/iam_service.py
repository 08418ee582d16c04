"""IAM's access keys and STS's GetCallerIdentity in memory, behind boto3's method names, with the delay that IAM has.

Source: botocore's models of IAM and STS, quotas of the IAM user guide (two keys per user). Every change is there at
once for IAM's own limit and for a change by id; lists and STS show it only `lag_s` seconds later. What it pretends:
one user, no signatures, and a use is noticed at once. `passing` is where a test may stand between a request and its
answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from tests.model.http_targets import straight

USER = "deployer"
ACCOUNT = "000000000000"
# access keys of one user (IAM's quotas)
MOST_KEYS = 2
UNKNOWN_KEY = "InvalidClientTokenId"


@dataclass(frozen=True)
class ModelKey:
    """One key; `secret` is shown by CreateAccessKey alone."""

    secret: str = field(repr=False)
    made: datetime
    active: bool = True


@dataclass
class IamService:
    """One user's keys by id. `states`: what they were from which moment on, the last one is what they are."""

    clock: Callable[[], datetime]
    lag_s: float = 0.0
    passing: Callable[[str, Callable[[], Any]], Any] = straight
    keys: dict[str, ModelKey] = field(default_factory=dict)
    used: dict[str, datetime] = field(default_factory=dict)
    states: list[tuple[datetime, dict[str, ModelKey]]] = field(default_factory=list)
    made: int = 0

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        """A method of boto3's client, each call an exchange that may be watched."""
        act: Callable[..., Any] = getattr(type(self), f"_{verb}")
        return lambda **asked: self.passing(f"iam.{verb}", lambda: act(self, **asked))

    def sts(self, key_id: str, secret: str) -> Any:
        """STS's client for one key."""
        return SimpleNamespace(
            get_caller_identity=lambda: self.passing("iam.get_caller_identity", lambda: self._identity(key_id, secret))
        )

    def add(self, key_id: str, *, used: bool = False) -> None:
        """A key that somebody made by hand."""
        self._change({**self.keys, key_id: ModelKey(secret=f"secret of {key_id}", made=self.clock())})
        if used:
            self.used[key_id] = self.clock()

    @property
    def accepted(self) -> set[str]:
        """Ids of what is active, whatever STS says yet."""
        return {key_id for key_id, key in self.keys.items() if key.active}

    def _create_access_key(self, *, UserName: str) -> dict[str, Any]:  # noqa: N803 - boto3's names, as below
        _check_user("CreateAccessKey", UserName)
        if len(self.keys) >= MOST_KEYS:
            raise _refused("CreateAccessKey", "LimitExceeded", 409)
        self.made += 1
        key_id = f"AKIAMODEL{self.made:011d}"
        self.add(key_id)
        key = {"AccessKeyId": key_id, "SecretAccessKey": self.keys[key_id].secret, "Status": "Active"}
        return {"AccessKey": {"UserName": USER, **key}}

    def _list_access_keys(self, *, UserName: str) -> dict[str, Any]:  # noqa: N803
        _check_user("ListAccessKeys", UserName)
        listed = [
            {
                "AccessKeyId": key_id,
                "Status": "Active" if key.active else "Inactive",
                "CreateDate": key.made.replace(microsecond=0),
            }
            for key_id, key in self._shown().items()
        ]
        return {"AccessKeyMetadata": listed, "IsTruncated": False}

    def _update_access_key(self, *, UserName: str, AccessKeyId: str, Status: str) -> dict[str, Any]:  # noqa: N803
        _check_user("UpdateAccessKey", UserName)
        key = self._find("UpdateAccessKey", AccessKeyId)
        self._change({**self.keys, AccessKeyId: replace(key, active=Status == "Active")})
        return {}

    def _delete_access_key(self, *, UserName: str, AccessKeyId: str) -> dict[str, Any]:  # noqa: N803
        _check_user("DeleteAccessKey", UserName)
        self._find("DeleteAccessKey", AccessKeyId)
        self._change({key_id: key for key_id, key in self.keys.items() if key_id != AccessKeyId})
        return {}

    def _get_access_key_last_used(self, *, AccessKeyId: str) -> dict[str, Any]:  # noqa: N803
        if AccessKeyId not in self.keys:
            raise _refused("GetAccessKeyLastUsed", "AccessDenied", 403)
        used = self.used.get(AccessKeyId)
        return {"UserName": USER, "AccessKeyLastUsed": {"LastUsedDate": used} if used else {"Region": "N/A"}}

    def _identity(self, key_id: str, secret: str) -> dict[str, str]:
        key = self._shown().get(key_id)
        if key is None or not key.active:
            raise _refused("GetCallerIdentity", UNKNOWN_KEY, 403)
        if key.secret != secret:
            raise _refused("GetCallerIdentity", "SignatureDoesNotMatch", 403)
        self.used[key_id] = self.clock()
        return {"Arn": f"arn:aws:iam::{ACCOUNT}:user/{USER}"}

    def _shown(self) -> dict[str, ModelKey]:
        """The keys as lists and STS see them now."""
        until = self.clock() - timedelta(seconds=self.lag_s)
        return next((keys for since, keys in reversed(self.states) if since <= until), {})

    def _change(self, keys: dict[str, ModelKey]) -> None:
        self.keys = keys
        self.states.append((self.clock(), keys))

    def _find(self, verb: str, key_id: str) -> ModelKey:
        if key_id not in self.keys:
            raise _refused(verb, "NoSuchEntity", 404)
        return self.keys[key_id]


def _check_user(verb: str, name: str) -> None:
    if name != USER:
        raise _refused(verb, "NoSuchEntity", 404)


def _refused(verb: str, code: str, status: int) -> ClientError:
    said = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, verb)  # type: ignore[arg-type]
