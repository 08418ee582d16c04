"""Made-up measurements with round numbers: a life of one credential, as the benchmark would have seen it."""

from __future__ import annotations

from bench.counted import Counted
from bench.executions import Execution
from bench.functions import Invocation
from bench.kinds import Kind
from bench.report import Measured
from bench.runs import Run
from bench.timed import Timed

SECRET = "payments/postgres"


def invocation(function: str = "aws", what: str = "prepare", **changes: object) -> Invocation:
    fields: dict[str, object] = {"billed_ms": 100, "memory_mb": 512, "log_bytes": 1_000, "calls": {}}
    return Invocation(function=function, what=what, **{**fields, **changes})  # type: ignore[arg-type]


def run(machine: str = "rotate", *, billed_ms: int = 100, calls: dict[str, int] | None = None) -> Run:
    what = "prepare" if machine == "rotate" else "retire"
    return Run(
        machine=machine,
        secret=SECRET,
        store="aws",
        asked_s=0.05,
        execution=Execution(transitions=12, wall_s=1.4, waited_s=1.0, tasks={what: 0.3}, log_bytes=10_000),
        invocations=(invocation("control", "verb"), invocation("aws", what, billed_ms=billed_ms, calls=calls or {})),
    )


def counted(machine: str, **kinds: float) -> Counted:
    calls = {"read": 2, "write": 2} if machine == "rotate" else {"read": 2}
    by_kind = {Kind.STATE_TRANSITION.value: 12.0, Kind.INVOCATION.value: 2.0, **kinds}
    return Counted(
        run=run(machine, calls=calls),
        operations={"aws": {"secretsmanager.GetSecretValue": 2}},
        google={},
        kinds=by_kind,
    )


def measured() -> Measured:
    lives = (run("rotate"), run("retire"))
    cold = (run("rotate", billed_ms=900), run("retire", billed_ms=900))
    return Measured(
        counted=[counted("rotate"), counted("retire"), counted("rotate"), counted("retire")],
        sweep={Kind.STATE_TRANSITION.value: 1.0, Kind.SCHEDULE.value: 1.0},
        timed=Timed(bare_s=(0.01, 0.01, 0.02), warm=lives, cold=cold),
    )
