"""Whether the sandbox is up as a whole, asked before runs are started on `local` and when its cloud is silent."""

from __future__ import annotations

from rotation.errors import KeyturnError, Unavailable
from sandbox import lifecycle
from sandbox.errors import SandboxError
from sandbox.facts import START_AGAIN, START_IT, Facts
from sandbox.layout import Layout


def check_whole() -> None:
    """SandboxError `sandbox_not_up` or `sandbox_half_up`, naming the parts that are down."""
    layout = Layout.from_env()
    Facts.load(layout.facts)
    states = lifecycle.status(layout)
    down = [f"{state.part} ({state.problem or state.state})" for state in states if state.state != lifecycle.RUNNING]
    if len(down) == len(states):
        raise SandboxError("sandbox_not_up", "the sandbox is not up: none of its servers runs", START_IT)
    if down:
        raise SandboxError("sandbox_half_up", f"the sandbox is half up; down: {', '.join(down)}", START_AGAIN)


def explained(error: KeyturnError) -> KeyturnError:
    """A silent cloud of `local` has a better name: the sandbox is not up, or half."""
    if not isinstance(error, Unavailable):
        return error
    try:
        check_whole()
    except SandboxError as better:
        return better
    return error
