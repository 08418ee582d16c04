"""From nothing to a deployed sandbox: check configuration and policies, start the servers, apply the program.

What can be wrong in a file is found before the first server starts. Not here: how servers start (`sandbox.lifecycle`)
and what applying means (`sandbox.deploy`).
"""

from __future__ import annotations

from dataclasses import dataclass

from keyturn.policy_files import all_policies
from keyturn.stack import LOCAL, texts
from keyturn.telling import Tell
from rotation.errors import Refused
from sandbox.facts import Facts
from sandbox.layout import Layout

# How `sandbox.deploy` begins a line about one resource; its other lines begin a stage.
_STEPS = ("create ", "update ", "replace ", "same ", "delete ", "retain ")


@dataclass(frozen=True, kw_only=True)
class BroughtUp:
    """What was brought up. `operations`: resources per operation; `declared_only`: types nothing emulates, and why."""

    facts: Facts
    operations: dict[str, int]
    declared_only: dict[str, str]


def check_files() -> None:
    """Refused `bad_configuration` or `bad_policies`, naming every problem."""
    from infra.config import settings  # noqa: PLC0415  # imports pulumi
    from infra.resolved import resolved  # noqa: PLC0415

    resolved(all_policies(), settings(LOCAL, texts(LOCAL)))


def bring_up(tell: Tell, *, again: bool, auth: bool = False) -> BroughtUp:
    """Start and deploy; `again`: a sandbox that is up is welcome, and the program is applied to it once more.

    Raises:
        Refused: `already_up` without `again`; `interrupted`, with what is left; as `check_files`.
        SandboxError, EngineError: what could not be started or applied.
    """
    layout = Layout.from_env()
    try:
        return _brought_up(layout, tell, again=again, auth=auth)
    except KeyboardInterrupt:
        raise _interrupted(layout) from None


def _interrupted(layout: Layout) -> Refused:
    """What an interrupt leaves: a start that is not complete takes its servers with it, a deployment does not."""
    if not layout.facts.exists():
        message, remedy = "interrupted: no server is left running", "`keyturn sandbox up` starts again"
    elif layout.applied.exists():
        message, remedy = "interrupted: the sandbox is up, its stack applied", "`keyturn sandbox down` stops it"
    else:
        message = "interrupted: the servers are up, the stack is not applied"
        remedy = "`keyturn sandbox up` goes on applying, `keyturn sandbox down` stops the servers"
    return Refused("interrupted", message, remedy)


def _brought_up(layout: Layout, tell: Tell, *, again: bool, auth: bool) -> BroughtUp:
    from sandbox import lifecycle  # noqa: PLC0415  # the parts' clients take a while to import

    tell.heading("checking configuration and policies")
    check_files()
    tell.heading("starting the servers")
    facts = lifecycle.up(layout, auth=auth, on_progress=lambda part, event: _server(tell, part, event))
    if facts.already_running and layout.applied.exists() and not again:
        raise Refused(
            "already_up",
            "the sandbox is up already; nothing was started",
            "`keyturn sandbox up --again` applies the program to it once more, `keyturn sandbox down` stops it",
        )
    return _deployed(layout, facts, tell)


def _server(tell: Tell, part: str, event: str) -> None:
    if event != "starting":
        tell.detail(f"{part} {event}")


def _deployed(layout: Layout, facts: Facts, tell: Tell) -> BroughtUp:
    from sandbox.deploy import deploy  # noqa: PLC0415  # as above

    def progressed(said: str) -> None:
        if said.startswith(_STEPS):
            tell.detail(said)
        else:
            tell.heading(said)

    deployed = deploy(layout, facts, progressed)
    return BroughtUp(facts=facts, operations=deployed.operations, declared_only=deployed.declared_only)
