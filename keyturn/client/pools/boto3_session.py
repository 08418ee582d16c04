"""A boto3 session that signs each request with the access key that the cache holds.

Nothing is pooled, so nothing has to be moved: the next request is signed with the new key. A request that AWS refuses
because of its key is signed again with the next in order, inside botocore's own loop of attempts, and for that request
alone. What asks the session for its credentials has the current ones at each look; who copies them, and a presigned
URL, has them no longer than they live. The secret has the fields `access_key_id` and `secret_access_key`, and
`session_token` where there is one.
"""

from __future__ import annotations

from typing import Any

import boto3
from botocore.credentials import CredentialProvider, Credentials, ReadOnlyCredentials
from botocore.session import Session

from keyturn.client.cache import SecretCache
from keyturn.client.uses import Use
from keyturn.client.value import Held

# What services answer to a key that does not exist, is inactive, or does not fit (AWS: common errors; S3; EC2).
REFUSED = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "AuthFailure",
    }
)
# The answer to a HEAD has no body: botocore gives the status, which does not tell an unknown key from a missing right.
_UNEXPLAINED = "403"
# Keys of a request's own context, where botocore lets handlers keep things.
_USE = "keyturn_use"
# From here on an answer says nothing of the key.
_SERVER_FAULT = 500


def session(cache: SecretCache, **options: Any) -> boto3.Session:
    """A session that follows `cache`; `options` as boto3's Session takes them, without credentials."""
    core = Session()
    core.get_component("credential_provider").providers.insert(0, _Provider(cache))
    register: Any = core.register
    register("before-sign", lambda **event: _sign(cache, event["request"].context))
    register("needs-retry", lambda **event: _again(event["response"], event["request_dict"]["context"]))
    return boto3.Session(botocore_session=core, **options)


def _sign(cache: SecretCache, context: dict[str, Any]) -> None:
    if _USE not in context:
        context[_USE] = cache.use()
    use: Use = context[_USE]
    context.setdefault("signing", {})["request_credentials"] = _key(use.held)


def _again(response: Any, context: dict[str, Any]) -> int | None:
    """0 (seconds to wait) when the request is to be signed with another key; None leaves it to botocore."""
    use: Use | None = context.get(_USE)
    if use is None:
        return None
    if response is not None and _code(response) in REFUSED:
        if use.refused():
            return 0
    elif response is not None and response[0].status_code < _SERVER_FAULT and _code(response) != _UNEXPLAINED:
        use.accepted()
    use.end()
    # should botocore send it again, it begins anew
    del context[_USE]
    return None


def _code(response: tuple[Any, dict[str, Any]]) -> str:
    return str(response[1].get("Error", {}).get("Code", ""))


def _key(held: Held) -> Credentials:
    fields = held.value.unsafe_fields()
    return Credentials(fields["access_key_id"], fields["secret_access_key"], fields.get("session_token"))


class _Current(Credentials):
    """The key of the moment at each look, for whatever asks the session itself: another library's signer, a refresh."""

    method, account_id = "keyturn", None

    def __init__(self, cache: SecretCache) -> None:
        self._cache = cache

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """All parts of one version."""
        return _key(self._cache.held()).get_frozen_credentials()

    access_key = property(lambda self: self.get_frozen_credentials().access_key)
    secret_key = property(lambda self: self.get_frozen_credentials().secret_key)
    token = property(lambda self: self.get_frozen_credentials().token)


class _Provider(CredentialProvider):
    """Tells botocore that there are credentials; which ones is said at each signing."""

    METHOD = CANONICAL_NAME = "keyturn"

    def __init__(self, cache: SecretCache) -> None:
        super().__init__()
        self._cache = cache

    def load(self) -> Credentials:
        """The current key, whenever it is looked at; a store that does not answer is found here."""
        self._cache.held()
        return _Current(self._cache)
