"""What `doctor` looks at, part by part: a part that cannot be looked at is a finding, never an end of the examination.

Reads only: no run is started, and no function is invoked but control with a read verb.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from keyturn import connect, tree
from keyturn.answers import Standing
from keyturn.checks import Check, fail, ok, passed, warn
from keyturn.console import moment
from keyturn.stack import LIVE, Stack, load
from rotation.control.diagnosis import SWEEP_IS_LATE
from rotation.errors import KeyturnError
from sandbox.layout import Layout

# The version that locks, byte code and the functions' runtime agree on.
_PYTHON = (3, 11)
FUNCTIONS = ("aws", "vault", "gcp", "control")
MACHINES = ("rotate", "retire", "rollback", "repair", "sweep")


def examine(stack_name: str) -> list[Check]:
    """Every check of one stack, in the order in which one part stands on another. Refused `unknown_stack`."""
    checks = [_python(), *_guarded("configuration", lambda: _configuration(stack_name))]
    if stack_name == "local":
        checks += [_cloud_environment(), *_guarded("sandbox", _sandbox)]
    try:
        stack = load(stack_name)
    except KeyturnError as exc:
        return [*checks, _failed("stack", exc)]
    if not stack.local:
        account = _guarded("account", lambda: _account(stack))
        checks += account
        if not passed(account):
            return [
                *checks,
                warn("the rest", "not looked at: it would be asked with these credentials", "sign in first"),
            ]
    checks += _guarded("functions", lambda: _functions(stack))
    checks += _guarded("machines", lambda: _machines(stack))
    return checks + _guarded("control", lambda: _control(stack_name))


def _guarded(name: str, look: Callable[[], Sequence[Check]]) -> list[Check]:
    try:
        return list(look())
    except KeyturnError as exc:
        return [_failed(name, exc)]


def _failed(name: str, exc: KeyturnError) -> Check:
    return fail(name, f"{exc.message} [{exc.reason}]", exc.remedy)


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] == _PYTHON:
        return ok("python", found)
    return fail("python", found, "run it from the environment that `make env` builds with Python 3.11")


def _configuration(stack_name: str) -> list[Check]:
    known = tree.digests(stack_name)
    return [ok("configuration", f"configuration and {len(known)} policies of {stack_name} are well-formed")]


def _cloud_environment() -> Check:
    found = Layout.from_env().cloud_python
    if found.exists():
        return ok("emulator's environment", "installed")
    return fail("emulator's environment", "not installed", "run `make env`")


def _sandbox() -> list[Check]:
    from sandbox import lifecycle  # noqa: PLC0415  # the parts' clients take a while to import

    def check(one: lifecycle.PartStatus) -> Check:
        name = f"sandbox: {one.part}"
        if one.state == lifecycle.RUNNING:
            return ok(name, f"answers at {one.address}")
        return fail(name, one.problem or one.state, "`keyturn sandbox down`, then `keyturn sandbox up`")

    return [check(one) for one in lifecycle.status(Layout.from_env())]


def _account(stack: Stack) -> list[Check]:
    from keyturn.environment_checks import account_checks  # noqa: PLC0415
    from keyturn.identity import caller  # noqa: PLC0415  # the AWS SDK

    return account_checks(stack, caller(stack).account)


def _asked(stack: Stack, service: str, look: Callable[[Any], Check]) -> Check:
    """One look with a client; what AWS refuses is told as ours."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # as above

    from keyturn.cloud import client, translated  # noqa: PLC0415

    try:
        return look(client(stack, service))
    except (ClientError, BotoCoreError) as exc:
        raise translated(exc, stack) from exc


def _functions(stack: Stack) -> list[Check]:
    return [
        check
        for kind in FUNCTIONS
        for check in _guarded(f"function {kind}", lambda k=kind: [_function(stack, k)])  # type: ignore[misc]
    ]


def _function(stack: Stack, kind: str) -> Check:
    name = stack.function(kind)

    def look(functions: Any) -> Check:
        found = functions.get_function_configuration(FunctionName=name, Qualifier=LIVE)
        role = str(found["Role"]).rpartition("/")[2]
        told = f"version {found['Version']} behind `{LIVE}`, as role {role}"
        if not role.startswith(name):
            return warn(f"function {kind}", told, "its role is not the one that the program declares: apply the stack")
        return ok(f"function {kind}", told)

    return _asked(stack, "lambda", look)


def _machines(stack: Stack) -> list[Check]:
    def look(states: Any) -> Check:
        there = {found["name"] for page in _pages(states) for found in page["stateMachines"]}
        missing = [kind for kind in MACHINES if stack.function(kind) not in there]
        if missing:
            return fail("machines", f"missing: {', '.join(missing)}", "apply the stack")
        return ok("machines", f"{', '.join(MACHINES)} are there")

    return [_asked(stack, "stepfunctions", look)]


def _pages(states: Any) -> Any:
    return states.get_paginator("list_state_machines").paginate()


def _control(stack_name: str) -> list[Check]:
    standings = connect.control_of(stack_name).status([])
    known = tree.digests(stack_name)
    if not standings:
        return [fail("control", "it answers, and the catalogue is empty", "apply the stack")]
    checks = [ok("control", f"answers for {len(standings)} secrets: ledger and catalogue can be read")]
    return checks + [check for standing in standings for check in standing_checks(standing, known)]


def standing_checks(standing: Standing, known: dict[str, str]) -> list[Check]:
    """What is worth a look in where one secret stands; one `ok` when nothing is."""
    name, head, run = standing.secret, standing.head, standing.last_run
    checks = []
    if standing.removed:
        found = "no policy names it any more, and it has left something open"
        checks.append(warn(name, found, f"`keyturn status {name}` says what; the schedule ends an overlap by itself"))
    elif differs := tree.drift(standing, known):
        checks.append(warn(name, differs, tree.DRIFT_REMEDY))
    if run and run.halted:
        found = f"its run {run.run_id[:8]} is halted: {run.stopped_by}"
        checks.append(warn(name, found, f"`keyturn status {name}` names the commands that go on with it or undo it"))
    if head.current is None:
        checks.append(warn(name, "has no value yet", f"`keyturn rotate {name}` makes the first one"))
    if run and run.status == "failed":
        reason = run.failure.get("reason", "")
        found = f"its last run failed: {reason}"
        checks.append(warn(name, found, f"`keyturn history {name} --run {run.run_id[:8]}`"))
    if head.overlap and head.overlap.retire_at < datetime.now(UTC):
        checks.append(_overdue(name, head.overlap.retire_at, datetime.now(UTC) - head.overlap.retire_at))
    return checks or [ok(name, "settled" if not head.run_id else "a run is under way")]


def _overdue(name: str, ended: datetime, late: timedelta) -> Check:
    """An overlap that is over: the schedule's affair at first, then a person's."""
    found = f"the old credential should have been retired at {moment(ended)}"
    if late <= SWEEP_IS_LATE:
        return warn(name, found, f"the schedule ends it within minutes; `keyturn overlap close {name}` does it now")
    repair = f"`keyturn repair {name}` says why and does the one safe action"
    return warn(name, found, f"{repair}; docs/runbooks/repair.md#overlap_overdue")
