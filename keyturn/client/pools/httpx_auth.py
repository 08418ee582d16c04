"""Authentication of httpx requests by a token that the cache holds; after a 401 with the next in order.

A request that was refused was not carried out, so that it may be sent again whatever its method; its body is read
first, to be there twice. A request counts as under way until its answer's headers are there.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator

import httpx

from keyturn.client.aio import AsyncSecretCache
from keyturn.client.cache import SecretCache
from keyturn.client.errors import ClientError
from keyturn.client.uses import Use
from keyturn.client.value import Value

Apply = Callable[[httpx.Request, Value], None]

# In a secret of the type `bearer-token`.
_FIELD = "token"


def bearer(request: httpx.Request, value: Value) -> None:
    """`Authorization: Bearer`, from the field `token`."""
    request.headers["Authorization"] = f"Bearer {value.unsafe_fields()[_FIELD]}"


def _refused(response: httpx.Response) -> bool:
    return response.status_code == httpx.codes.UNAUTHORIZED


def _note(use: Use, response: httpx.Response) -> None:
    """A fault of the server's says nothing of the token."""
    if not response.is_server_error:
        use.accepted()


def _wrong_client(ours: str, client: str) -> ClientError:
    """Unrefused, the request would be sent without a token, and its owner would see a 401."""
    return ClientError("wrong_client", f"{ours} serves a httpx.{client}: take the one of the client's own kind")


class CacheAuth(httpx.Auth):
    """For a `httpx.Client`. `apply` puts a value into a request."""

    def __init__(self, cache: SecretCache, apply: Apply = bearer) -> None:
        self._cache, self._apply = cache, apply

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Each value in order, once."""
        request.read()
        use = self._cache.use()
        try:
            while True:
                self._apply(request, use.held.value)
                response = yield request
                if not _refused(response):
                    _note(use, response)
                    return
                if not use.refused():
                    return
        finally:
            use.end()

    def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """ClientError `wrong_client`: the loop would wait for the store."""
        del request
        raise _wrong_client("CacheAuth", "Client")


class AsyncCacheAuth(httpx.Auth):
    """For a `httpx.AsyncClient`."""

    def __init__(self, cache: AsyncSecretCache, apply: Apply = bearer) -> None:
        self._cache, self._apply = cache, apply

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Each value in order, once."""
        await request.aread()
        use = self._cache.use()
        try:
            while True:
                self._apply(request, use.held.value)
                response = yield request
                if not _refused(response):
                    _note(use, response)
                    return
                if not await self._cache.refused(use):
                    return
        finally:
            use.end()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """ClientError `wrong_client`: there is no loop to wait on."""
        del request
        raise _wrong_client("AsyncCacheAuth", "AsyncClient")
