"""From running servers to a deployed stack: function zips, the program of stack `local`, the authorities' credentials.

The same program that staging and prod get is applied by the local engine. A second deployment changes nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from artefacts.build import build_all
from sandbox.authorities import put_authorities
from sandbox.consumer import welcome_consumers
from sandbox.engine import Result, Step, apply
from sandbox.export_user import make_export_user
from sandbox.facts import Credentials, Facts
from sandbox.handlers.declared_only import DECLARED_ONLY
from sandbox.handlers.registry import handlers, invokes
from sandbox.layout import CHECKOUT, Layout
from sandbox.publisher import put_publisher

PROJECT = "keyturn"
STACK = "local"


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """What a deployment did: number of resources per operation, stack outputs, and what nothing here emulates.

    declared_only: Pulumi type to the reason why it is recorded and no more, for the types that the stack declares.
    """

    operations: dict[str, int]
    outputs: dict[str, object]
    declared_only: dict[str, str]


def deploy(layout: Layout, facts: Facts, on_progress: Callable[[str], None]) -> Deployed:
    """Build, apply, put the authorities' credentials. Raises KeyturnError classes with what to do next."""
    layout.applied.unlink(missing_ok=True)
    on_progress("building the function zips")
    build_all(CHECKOUT)
    credentials = Credentials.load(layout.credentials)
    on_progress("applying the program of stack local")
    result = apply_program(layout, facts, credentials, on_progress)
    on_progress("putting the authorities' credentials")
    put_authorities(facts, credentials)
    put_publisher(facts, credentials, STACK)
    make_export_user(facts)
    welcome_consumers(layout, facts, credentials, result.outputs)
    layout.applied.touch()
    types = {step.type for step in result.resources}
    return Deployed(
        operations=dict(Counter(str(op) for op in result.ops.values())),
        outputs=dict(result.outputs),
        declared_only={name: reason for name, reason in DECLARED_ONLY.items() if name in types},
    )


def apply_program(layout: Layout, facts: Facts, credentials: Credentials, on_progress: Callable[[str], None]) -> Result:
    """Apply the checkout's program to the sandbox with the local engine."""

    def tell(step: Step) -> None:
        on_progress(f"{step.op} {step.urn.rsplit('::', 1)[-1]}")

    return apply(
        program=CHECKOUT / "__main__.py",
        project=PROJECT,
        stack=STACK,
        state=state_file(layout),
        config=configuration(layout),
        handlers=handlers(facts, credentials),
        invokes=invokes(facts, credentials),
        on_step=tell,
    )


def configuration(layout: Layout) -> dict[str, str]:
    """The stack's configuration file, with the facts of this sandbox in place of the default directory's."""
    declared = yaml.safe_load((CHECKOUT / f"Pulumi.{STACK}.yaml").read_text(encoding="utf-8"))["config"]
    config = {key: _text(value) for key, value in declared.items()}
    config["keyturn:sandboxFacts"] = str(layout.facts)
    return config


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def state_file(layout: Layout) -> Path:
    """The local engine's state of the stack."""
    return layout.engine / f"{STACK}.json"
