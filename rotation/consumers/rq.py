"""Events as jobs of RQ, for consumers that run a worker anyway.

The job's id is the event's: a repeat finds the first one there and adds nothing, as long as RQ keeps it. Serialised as
JSON: RQ's default would let whoever can write to Redis run code in a worker.
"""

from __future__ import annotations

from typing import Any, ClassVar

from rotation.consumers.event import Fields
from rotation.consumers.redis_link import RedisLink

# By name: the function is the consumer's to import, this program does not ship it.
JOB = "keyturn.client.jobs.invalidate"
# A job is one look at a store; RQ's default of three minutes would hold a worker that hangs.
JOB_TIMEOUT_S = 30


def queue_of(stack: str) -> str:
    """The queue's name, as workers are started with."""
    return f"keyturn-{stack}"


class RqChannel:
    """The queue of one stack."""

    name: ClassVar[str] = "rq"

    def __init__(self, link: RedisLink, stack: str) -> None:
        self._link = link
        self._stack = stack

    def send(self, fields: Fields) -> None:
        """Enqueue under the event's id; a job that is there already is success."""
        self._link.call(lambda client: self._enqueue(client, fields))

    def _enqueue(self, client: Any, fields: Fields) -> None:
        from rq import Queue  # noqa: PLC0415 - see `redis_link`
        from rq.exceptions import DuplicateJobError  # noqa: PLC0415
        from rq.serializers import JSONSerializer  # noqa: PLC0415

        queue = Queue(queue_of(self._stack), connection=client, serializer=JSONSerializer)
        try:
            queue.enqueue_call(
                func=JOB,
                args=(dict(fields),),
                job_id=str(fields["id"]),
                timeout=JOB_TIMEOUT_S,
                description=f"{fields['kind']} {fields['secret']}",
                unique=True,
            )
        except DuplicateJobError:
            return
