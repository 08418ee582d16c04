"""The first alarms as data: metric, threshold, and the runbook that whoever is woken opens.

That a part is not well is told by metrics that AWS emits by itself, so that no such alarm depends on Keyturn being well
enough to report; what only Keyturn can know are its own findings. Missing data is healthy everywhere but on the sweep,
whose silence is the alarm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infra.names import FUNCTIONS, MACHINES, Names
from rotation.control.signals import NAMESPACE, Finding, Gauge

# Three periods of the sweep: one late look is no alarm, three missing are.
_SILENT_AFTER_S = 900
_SHORT_S = 300
# A day: pauses after failures, a missed window and a long group have had their time, and a person has to look.
_OVERDUE_S = 86_400
# Two weeks: a rehearsal is meant to be held weekly, and one may be missed.
_UNREHEARSED_S = 1_209_600


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """One alarm: at least `threshold` in `period_s` seconds, or (`silence`) fewer, missing data included.

    `name`: without the stack. `reason`: names the runbook `docs/runbooks/<reason>.md`. `says`: what is wrong.
    """

    name: str
    reason: str
    says: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str = "Sum"
    period_s: int = _SHORT_S
    threshold: int = 1
    silence: bool = False

    @property
    def description(self) -> str:
        """What the message of the alarm says."""
        return f"{self.says} Runbook: docs/runbooks/{self.reason}.md"


def rules(names: Names) -> tuple[AlarmRule, ...]:
    """Every alarm of the stack."""
    functions = [rule for kind in FUNCTIONS for rule in function_rules(kind, names)]
    machines = [_failed(kind, names) for kind in MACHINES]
    queues = [_dead_letters(what, names) for what in (*(f"{kind}-dead" for kind in FUNCTIONS), *_UNDELIVERED)]
    findings = [_finding(*one, names) for one in _FINDINGS]
    return (*functions, *machines, *queues, *findings, _overdue(names), _unrehearsed(names), _silent_sweep(names))


_UNDELIVERED = ("schedule-dead", "signals-dead", "invalidations-dead", "triggers-dead")


def function_rules(kind: str, names: Names) -> tuple[AlarmRule, AlarmRule]:
    """Errors and throttles of one function; a deployment of it rolls back on either."""
    of = {"FunctionName": names.of(kind)}
    return (
        AlarmRule(
            name=f"{kind}-errors",
            reason="function-errors",
            says=f"The function {names.of(kind)} raised an error.",
            namespace="AWS/Lambda",
            metric="Errors",
            dimensions=of,
        ),
        AlarmRule(
            name=f"{kind}-throttles",
            reason="function-throttled",
            says=f"The function {names.of(kind)} was refused an invocation.",
            namespace="AWS/Lambda",
            metric="Throttles",
            dimensions=of,
        ),
    )


def _failed(kind: str, names: Names) -> AlarmRule:
    return AlarmRule(
        name=f"{kind}-failed",
        reason="machine-failed",
        says=f"An execution of {names.of(kind)} failed.",
        namespace="AWS/States",
        metric="ExecutionsFailed",
        dimensions={"StateMachineArn": names.machine_arn(kind)},
    )


def _dead_letters(what: str, names: Names) -> AlarmRule:
    return AlarmRule(
        name=f"{what}-letters",
        reason="dead-letters",
        says=f"The queue {names.of(what)} holds what could not be delivered.",
        namespace="AWS/SQS",
        metric="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": names.of(what)},
        statistic="Maximum",
    )


# Metric of the control function, the alarm's name, its runbook, and what is wrong.
_FINDINGS = (
    (Finding.OLD_ALIVE, "old-alive", "old-alive", "A credential that was revoked is still accepted by its target."),
    (Finding.BREAK_GLASS, "break-glass", "kill-switch", "Somebody passed a freeze with --break-glass."),
    (Finding.HALTED, "run-halted", "kill-switch", "A run was halted half-way and waits for a person."),
    (Finding.UNDELIVERED, "events-undelivered", "dead-letters", "Consumers were not told which version is current."),
    (
        Finding.NOT_ACKNOWLEDGED,
        "not-acknowledged",
        "acknowledgements",
        "A consumer has not acknowledged a new version in time: the old credential stays valid.",
    ),
    (Finding.REMINDER_DUE, "reminder-due", "reminder", "A person has to change a credential by hand."),
    (Finding.REMINDER_OVERDUE, "reminder-overdue", "reminder", "Nobody has changed a credential that was due by hand."),
    (
        Finding.OUTSIDE_CHANGE,
        "version-moved-outside",
        "triggers",
        "Somebody else changed which version of a secret readers get.",
    ),
    (
        Finding.EVENT_REFUSED,
        "trigger-refused",
        "triggers",
        "An event that may call for a rotation was refused: nothing was started for it.",
    ),
    (
        Finding.EMERGENCY_HELD,
        "emergency-held",
        "overdue",
        "A rotation that somebody asked for in an emergency has not started for an hour.",
    ),
    (Finding.STUCK, "run-stuck", "repair", "A run can neither be ended nor undone by itself."),
)


def _finding(metric: Finding, name: str, runbook: str, says: str, names: Names) -> AlarmRule:
    return AlarmRule(
        name=name,
        reason=runbook,
        says=says,
        namespace=NAMESPACE,
        metric=metric.value,
        dimensions={"Stack": names.settings.stack},
    )


def _overdue(names: Names) -> AlarmRule:
    return AlarmRule(
        name="overdue",
        reason="overdue",
        says="A rotation could have started a day ago and has not succeeded since.",
        namespace=NAMESPACE,
        metric=Gauge.MAX_OVERDUE.value,
        dimensions={"Stack": names.settings.stack},
        statistic="Maximum",
        threshold=_OVERDUE_S,
    )


def _unrehearsed(names: Names) -> AlarmRule:
    return AlarmRule(
        name="rehearsal",
        reason="rehearsal",
        says="No secret was rotated, rolled back and rotated again for two weeks.",
        namespace=NAMESPACE,
        metric=Gauge.REHEARSAL_AGE.value,
        dimensions={"Stack": names.settings.stack},
        statistic="Maximum",
        threshold=_UNREHEARSED_S,
    )


def _silent_sweep(names: Names) -> AlarmRule:
    return AlarmRule(
        name="sweep-silent",
        reason="sweep-silent",
        says="The sweep has not finished for a quarter of an hour: no overlap that is over is ended.",
        namespace="AWS/States",
        metric="ExecutionsSucceeded",
        dimensions={"StateMachineArn": names.machine_arn("sweep")},
        period_s=_SILENT_AFTER_S,
        silence=True,
    )
