"""What somebody has to hear of although no machine may have failed: one metric per finding, alarmed by the program.

Published by a call and not through the log, so that an alarm does not wait for a log's delivery. A signal that cannot
be published is logged and nothing else: it never takes the place of a run's record.
"""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import Any, Protocol

from rotation.calls import Caller, Kind
from rotation.errors import KeyturnError

NAMESPACE = "Keyturn"
_LOG = logging.getLogger("keyturn")


class Finding(StrEnum):
    """Name of the metric, whose alarm names a runbook."""

    # the retired credential is still accepted
    OLD_ALIVE = "OldCredentialAlive"
    # somebody passed a freeze
    BREAK_GLASS = "BreakGlassUsed"
    # a switch stopped a run half-way: it waits for a person
    HALTED = "RunHalted"
    # a run that moved current could not be undone, or keeps losing its execution
    STUCK = "RunStuck"
    # what people asked for in an emergency has not started for an hour
    EMERGENCY_HELD = "EmergencyHeld"
    # consumers have not been told what is current
    UNDELIVERED = "EventsUndelivered"
    # the time in which consumers were to acknowledge a new version is over
    NOT_ACKNOWLEDGED = "NotAcknowledged"
    # a person has to change a credential by hand
    REMINDER_DUE = "ReminderDue"
    # they have not said in time that they did
    REMINDER_OVERDUE = "ReminderOverdue"
    # somebody else changed which version readers get, and the policy does not adopt that
    OUTSIDE_CHANGE = "VersionMovedOutside"
    # an event that may call for a rotation was not understood, or could not be followed
    EVENT_REFUSED = "TriggerRefused"


class Gauge(StrEnum):
    """Name of a metric that is a quantity, in seconds."""

    # since when the rotation that is due the longest may have started, whatever it waits for, its own end included
    MAX_OVERDUE = "MaxOverdueSeconds"
    # since rotate, roll back and rotate again succeeded in one day, or since the first sweep where they never did
    REHEARSAL_AGE = "RehearsalAgeSeconds"


class Signals(Protocol):
    """Where findings go."""

    def tell(self, finding: Finding) -> None:
        """Count one finding of the stack. Never raises."""
        ...

    def gauge(self, name: Gauge, value: float) -> None:
        """Say how much of something there is now. Never raises."""
        ...


class NullSignals:
    """Tells nobody: for desks that no alarm watches."""

    def tell(self, finding: Finding) -> None:
        """Nothing."""

    def gauge(self, name: Gauge, value: float) -> None:
        """Nothing."""


class MetricSignals:
    """`client` is a boto3 CloudWatch client; `stack` the dimension that the alarms have."""

    def __init__(self, client: Any, stack: str, caller: Caller) -> None:
        self._client = client
        self._stack = stack
        self._caller = caller

    def tell(self, finding: Finding) -> None:
        """PutMetricData, a count of one."""
        self._put(finding.value, 1.0, {})

    def gauge(self, name: Gauge, value: float) -> None:
        """PutMetricData, in seconds."""
        self._put(name.value, value, {"Unit": "Seconds"})

    def _put(self, name: str, value: float, how: dict[str, str]) -> None:
        datum = {"MetricName": name, "Dimensions": [{"Name": "Stack", "Value": self._stack}], "Value": value, **how}
        try:
            self._caller.call(
                Kind.CONTROL, lambda: self._client.put_metric_data(Namespace=NAMESPACE, MetricData=[datum])
            )
        except KeyturnError as exc:
            _LOG.error("a finding was not published", extra={"fields": {"finding": name, "reason": exc.reason}})
