"""Starting, watching, stopping and removing the sandbox's servers as a whole.

A start is all or nothing: if one part fails, or the user interrupts, those already started are stopped again. The
facts are written last, so a sandbox with facts was complete once. Whoever changes it holds a lock, which the kernel
lets go when its holder dies. What is deliberately not here: what is applied to the servers, and first values.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from typing import Any

from sandbox import processes
from sandbox.errors import SandboxError
from sandbox.facts import START_AGAIN, Credentials, Facts
from sandbox.kernel import is_alive
from sandbox.layout import Layout
from sandbox.lock import locked
from sandbox.parts import PARTS
from sandbox.parts.contract import Part, Request, Started
from sandbox.parts.postgres_account import remove_outside
from sandbox.ports import ANY_PORT, reserved, wanted_ports

RUNNING, UNHEALTHY, STOPPED = "running", "unhealthy", "stopped"

Progress = Callable[[str, str], None]


@dataclass(frozen=True, kw_only=True)
class PartStatus:
    """One server: `state` is running, unhealthy (its process runs, it does not answer) or stopped.

    `problem` says what is wrong, `address` where it is (empty without facts), `pid` is None when it is stopped.
    """

    part: str
    state: str
    pid: int | None = None
    address: str = ""
    problem: str = ""


def silent(part: str, event: str) -> None:
    """Progress that nobody watches."""


def up(layout: Layout, *, auth: bool = False, on_progress: Progress = silent, parts: Sequence[Part] = PARTS) -> Facts:
    """Start every server, or find that they all run (`already_running` is set then).

    `auth`: the AWS emulator enforces policies. `on_progress(part, event)`: event is `starting` or `ready in N s`.

    Raises:
        SandboxError: `sandbox_half_up`, `sandbox_other_lane`, `sandbox_busy`, `port_taken`, `not_a_sandbox`,
            `environment_missing`, `postgres_needs_user`, `part_failed`, `part_not_ready`, `part_not_startable`.
    """
    layout.claim()
    with locked(layout):
        states = status(layout, parts)
        if any(state.pid for state in states):
            return _found(layout, states, auth=auth)
        # what a server that died left running
        _stop_all(layout, parts, silent)
        _clear(layout)
        layout.make_fresh()
        try:
            return _start_all(layout, parts, auth=auth, on_progress=on_progress)
        except BaseException:
            _stop_all(layout, parts, silent)
            _clear(layout)
            raise


def down(layout: Layout, *, on_progress: Progress = silent, parts: Sequence[Part] = PARTS) -> list[str]:
    """Stop every server and what it started; the names of those that ran. Logs stay, state goes.

    Nothing running, or no sandbox at all, is success. `on_progress(part, "stopped")`.

    Raises:
        SandboxError: `sandbox_busy`, `part_not_stoppable`, `sandbox_damaged`.
    """
    if not layout.marker.exists():
        return []
    with locked(layout):
        stopped = _stop_all(layout, parts, on_progress)
        _clear(layout)
    return stopped


def status(layout: Layout, parts: Sequence[Part] = PARTS) -> list[PartStatus]:
    """Every server as it is now, asked in its own protocol; reads only.

    Raises:
        SandboxError: `sandbox_damaged`, `sandbox_not_yours`.
    """
    known = _known(layout)
    with ThreadPoolExecutor(len(parts)) as pool:
        return list(pool.map(lambda part: _status(layout, part, known), parts))


def remove(layout: Layout, *, parts: Sequence[Part] = PARTS) -> None:
    """Stop the servers and remove the sandbox's directory with all that it holds; no sandbox is success.

    Raises:
        SandboxError: as `down`, and `not_a_sandbox` for a directory that no sandbox made.
    """
    if not layout.root.exists():
        return
    layout.claim()
    down(layout, parts=parts)
    shutil.rmtree(layout.root)


def _found(layout: Layout, states: Sequence[PartStatus], *, auth: bool) -> Facts:
    """The facts of a sandbox that is already up, if it is up whole and in the wanted lane."""
    missing = [f"{state.part} ({state.problem or state.state})" for state in states if state.state != RUNNING]
    if missing:
        raise SandboxError("sandbox_half_up", f"the sandbox is half up; down: {', '.join(missing)}", START_AGAIN)
    facts = Facts.load(layout.facts)
    if facts.aws_auth != auth:
        lane = "with" if facts.aws_auth else "without"
        raise SandboxError("sandbox_other_lane", f"the sandbox is up {lane} enforcement of AWS policies", START_AGAIN)
    return replace(facts, already_running=True)


def _start_all(layout: Layout, parts: Sequence[Part], *, auth: bool, on_progress: Progress) -> Facts:
    wanted = wanted_ports([part.name for part in parts])
    facts: dict[str, Any] = {}
    credentials: dict[str, str] = {}
    # a part that takes any port needs none to be kept for it
    kept = {part.name: wanted[part.name] for part in parts if part.needs_port or wanted[part.name] != ANY_PORT}
    with reserved(kept) as ports, ThreadPoolExecutor(len(parts)) as pool:
        requests = {p: Request(layout=layout, port=ports.get(p.name, ANY_PORT), auth=auth) for p in parts}
        for part in parts:
            on_progress(part.name, "starting")
        begun = time.monotonic()
        futures = {pool.submit(_start, part, request): part for part, request in requests.items()}
        for future in as_completed(futures):
            started = future.result()
            on_progress(futures[future].name, f"ready in {time.monotonic() - begun:.1f} s")
            facts.update(started.facts)
            credentials.update(started.credentials)
    Credentials(**credentials).save(layout.credentials)
    found = Facts(**facts)
    found.save(layout.facts)
    return found


def _start(part: Part, request: Request) -> Started:
    try:
        return part.start(request)
    except (OSError, ValueError, KeyError) as exc:
        shown = processes.tail(request.layout.log(part.name))
        raise SandboxError("part_failed", f"{part.name}: {type(exc).__name__} while it started\n{shown}") from exc


def _status(layout: Layout, part: Part, known: tuple[Facts, Credentials] | None) -> PartStatus:
    running = processes.load(layout.process(part.name))
    address = part.address(known[0]) if known else ""
    if running is None or not is_alive(running.process):
        return PartStatus(part=part.name, state=STOPPED, address=address)
    problem = part.problem(*known) if known else "its start was not completed"
    state = UNHEALTHY if problem else RUNNING
    return PartStatus(part=part.name, state=state, pid=running.process.pid, address=address, problem=problem)


def _known(layout: Layout) -> tuple[Facts, Credentials] | None:
    """Facts and credentials, None when no start was completed."""
    if not layout.facts.exists():
        return None
    return Facts.load(layout.facts), Credentials.load(layout.credentials)


def _stop_all(layout: Layout, parts: Sequence[Part], on_progress: Progress) -> list[str]:
    """Stop what the records name; the names of those that ran."""
    records = {part.name: running for part in parts if (running := processes.load(layout.process(part.name)))}
    alive = [name for name, running in records.items() if is_alive(running.process)]

    def stop(name: str) -> None:
        # also when the server itself is gone: what it started may not be
        processes.stop(records[name])
        layout.process(name).unlink(missing_ok=True)
        on_progress(name, "stopped")

    with ThreadPoolExecutor(max(1, len(records))) as pool:
        list(pool.map(stop, records))
    return alive


def _clear(layout: Layout) -> None:
    """Forget the servers: what they held, and where they were."""
    layout.facts.unlink(missing_ok=True)
    layout.credentials.unlink(missing_ok=True)
    remove_outside(layout)
    if layout.run.exists():
        shutil.rmtree(layout.run)
