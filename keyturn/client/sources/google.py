"""A secret of Google Secret Manager, by number wherever a number is known.

An alias may lag behind by hours, a number never does. The number comes with every event; at the start it comes from
`pointer`, if the service has one (a small parameter that the rotation writes), otherwise the alias has to do, and the
cache never lets it lead back to a version that an event has left behind. `latest` is never read: it shows candidates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.api_core.exceptions import (
    FailedPrecondition,
    Forbidden,
    GoogleAPICallError,
    InvalidArgument,
    NotFound,
    RetryError,
)

from keyturn.client.errors import ClientError, Missing, Unavailable
from keyturn.client.sources import Fetched
from keyturn.client.value import Value

# Keyturn keeps it for readers without this library.
ALIAS = "current"
# One read within a region; the cache asks again by itself.
_TIMEOUT_S = 5.0


class GoogleSource:
    """`client` is a SecretManagerServiceClient, `name` is `projects/P/secrets/S`; `pointer` returns the current number.

    Raises:
        ClientError: `bad_alias` for `latest`.
    """

    names_versions = False

    def __init__(self, client: Any, name: str, *, alias: str = ALIAS, pointer: Callable[[], str] | None = None) -> None:
        if alias == "latest":
            raise ClientError("bad_alias", "`latest` shows candidates that are not current")
        self._client, self._name, self._alias, self._pointer = client, name, alias, pointer

    @property
    def lagging(self) -> bool:
        """An alias lags, a pointer does not."""
        return self._pointer is None

    def current(self) -> Fetched:
        """By the pointer's number, or else by the alias."""
        return self._get(self._pointer() if self._pointer else self._alias)

    def by_version(self, store_version: str) -> Fetched:
        """By number."""
        return self._get(store_version)

    def _get(self, version: str) -> Fetched:
        name = f"{self._name}/versions/{version}"
        try:
            answer = self._client.access_secret_version(name=name, timeout=_TIMEOUT_S)
        except (NotFound, Forbidden, InvalidArgument, FailedPrecondition) as exc:
            raise Missing("secret_not_given", f"{name}: {type(exc).__name__}") from exc
        except (GoogleAPICallError, RetryError) as exc:
            raise Unavailable("store_unavailable", f"{name}: {type(exc).__name__}") from exc
        try:
            value = Value(answer.payload.data.decode())
        except UnicodeDecodeError:
            # which carries the value
            raise Missing("value_not_text", f"{name}: the version is binary; Keyturn's are text") from None
        return Fetched(store_version=answer.name.rpartition("/")[2], value=value)
