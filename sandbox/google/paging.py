"""Pages of a list: newest first, a size that the caller may ask for, a token to go on.

Source: `ListSecretsRequest` and `ListSecretVersionsRequest` in `google.cloud.secretmanager_v1.types`. The token is the
offset of the next page; filters are deliberately not here and are refused, never ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sandbox.google.protos import Request
from sandbox.google.refusals import invalid, unimplemented

# "If the number is greater than 25000, it is capped at 25000"; zero leaves the size to the server.
MAX_PAGE = 25_000

Item = TypeVar("Item")


def page(newest_first: Sequence[Item], request: Request) -> tuple[Sequence[Item], str]:
    """The page asked for, and the token of the next one (empty at the end)."""
    if request.filter:
        raise unimplemented("A list filter")
    if request.page_size < 0:
        raise invalid("page_size must not be negative.")
    if request.page_token and not request.page_token.isdecimal():
        raise invalid("page_token is not one that this server gave.")
    start = int(request.page_token or 0)
    end = start + min(request.page_size or MAX_PAGE, MAX_PAGE)
    return newest_first[start:end], str(end) if end < len(newest_first) else ""
