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


class Signals(Protocol):
    """Where findings go."""

    def tell(self, finding: Finding) -> None:
        """Count one finding of the stack. Never raises."""
        ...


class NullSignals:
    """Tells nobody: for desks that no alarm watches."""

    def tell(self, finding: Finding) -> None:
        """Nothing."""


class MetricSignals:
    """`client` is a boto3 CloudWatch client; `stack` the dimension that the alarms have."""

    def __init__(self, client: Any, stack: str, caller: Caller) -> None:
        self._client = client
        self._stack = stack
        self._caller = caller

    def tell(self, finding: Finding) -> None:
        """PutMetricData, a count of one."""
        datum = {"MetricName": finding.value, "Dimensions": [{"Name": "Stack", "Value": self._stack}], "Value": 1.0}
        try:
            self._caller.call(
                Kind.CONTROL, lambda: self._client.put_metric_data(Namespace=NAMESPACE, MetricData=[datum])
            )
        except KeyturnError as exc:
            _LOG.error(
                "a finding was not published", extra={"fields": {"finding": finding.value, "reason": exc.reason}}
            )
