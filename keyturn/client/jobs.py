"""The job that Keyturn puts into an RQ queue, with RQ's JSON serializer: one argument, the event.

The cache has to live in the process that runs the job: RQ's `SimpleWorker` and threads do, the forking `Worker` gives
each job a copy of the process that dies with it. A job that reaches no cache fails, and so lies in RQ's registry of
failed jobs, from where it can be put back; an event that is not believed is counted by the cache and the job ends well,
since a repetition would change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyturn.client import registry
from keyturn.client.errors import Unheard


def invalidate(event: Mapping[str, Any]) -> int:
    """Give the event to every cache of its secret in this process; how many there are.

    Raises:
        Unheard: `no_cache`, `another_process`.
    """
    secret = str(event.get("secret", ""))
    caches, copies = registry.of(secret)
    if not caches and copies:
        raise Unheard("another_process", "the cache lives in the process that forked this one: use RQ's SimpleWorker")
    if not caches:
        raise Unheard("no_cache", "no cache of this event's secret was started in this process")
    for cache in caches:
        cache.hear(event)
    return len(caches)
