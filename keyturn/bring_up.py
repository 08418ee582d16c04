"""From nothing to a deployed sandbox: check configuration and policies, start the servers, apply the program.

What can be wrong in a file is found before the first server starts. Not here: how servers start (`sandbox.lifecycle`)
and what applying means (`sandbox.deploy`).
"""

from __future__ import annotations

from dataclasses import dataclass

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
    from policies import ALL  # noqa: PLC0415

    resolved(ALL, settings(LOCAL, texts(LOCAL)))


def bring_up(tell: Tell, *, again: bool, auth: bool = False) -> BroughtUp:
    """Start and deploy; `again`: a sandbox that is up is welcome, and the program is applied to it once more.

    Raises:
        Refused: `already_up` without `again`; as `check_files`.
        SandboxError, EngineError: what could not be started or applied.
    """
    from sandbox import lifecycle  # noqa: PLC0415  # the parts' clients take a while to import

    tell.heading("checking configuration and policies")
    check_files()
    layout = Layout.from_env()
    tell.heading("starting the servers")
    facts = lifecycle.up(layout, auth=auth, on_progress=lambda part, event: _server(tell, part, event))
    if facts.already_running and not again:
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
