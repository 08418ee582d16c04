"""EventBridge Scheduler: schedules of the default group. They fire on the emulator's real clock."""

from __future__ import annotations

from sandbox.handlers import aws_calls as aws
from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert

_GROUP = "default"
_PASSED = ("description", "scheduleExpression", "scheduleExpressionTimezone", "state", "flexibleTimeWindow", "target")


class Schedule(Upsert):
    """`aws:scheduler/schedule:Schedule`; the id is `group/name`."""

    serves = frozenset({"name", *_PASSED})
    replace_on = frozenset({"name"})
    computed = frozenset({"arn"})
    named_by = "name"

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """The whole schedule; the service replaces it as a whole too."""
        scheduler = self._clients.of("scheduler")
        whole = {"Name": wished["name"], "GroupName": _GROUP}
        whole |= aws.pascal({key: wished[key] for key in _PASSED if key in wished})
        if aws.made({"ConflictException"}, scheduler.create_schedule, **whole) is None:
            scheduler.update_schedule(**whole)
        return f"{_GROUP}/{wished['name']}"

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The schedule as the service has it, for the inputs that the program gives."""
        group, _, name = id_.partition("/")
        live = aws.found(self._clients.of("scheduler").get_schedule, Name=name, GroupName=group)
        if live is None:
            return None
        read = aws.camel({key: value for key, value in live.items() if key != "ResponseMetadata"})
        return {"arn": live["Arn"], "name": name, **{key: read[key] for key in _PASSED if key in wished}}

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Delete the schedule."""
        group, _, name = id_.partition("/")
        aws.found(self._clients.of("scheduler").delete_schedule, Name=name, GroupName=group)
