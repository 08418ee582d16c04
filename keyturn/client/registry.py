"""The caches of this process that were started: whoever is called with an event and no cache finds them here.

A process that was forked has copies that nobody serves from: they are told apart by the process id.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyturn.client.cache import SecretCache

_lock = threading.Lock()
_caches: dict[int, tuple[SecretCache, int]] = {}


def add(cache: SecretCache) -> None:
    """It was started in this process."""
    with _lock:
        _caches[id(cache)] = (cache, os.getpid())


def remove(cache: SecretCache) -> None:
    """It was closed."""
    with _lock:
        _caches.pop(id(cache), None)


def of(secret: str) -> tuple[list[SecretCache], bool]:
    """The caches of a secret started in this process, and whether there are copies of another process's."""
    with _lock:
        named = [(cache, pid) for cache, pid in _caches.values() if cache.secret == secret]
    return [cache for cache, pid in named if pid == os.getpid()], any(pid != os.getpid() for _, pid in named)
