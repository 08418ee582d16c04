"""The machines of a stack: generated definitions, and who invokes whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from infra.documents import Statement, allow
from infra.function import RotationFunction
from infra.machine import Machine, MachineArgs
from infra.names import CONTROL, MACHINES, STORES, Names
from infra.wildcards import PINNED_VERSIONS
from rotation.definition import DEFINITIONS


def declare_machines(
    names: Names, functions: Mapping[str, RotationFunction], data_key_arn: Any, opts: pulumi.ResourceOptions
) -> dict[str, Machine]:
    """The machines by name."""
    aliases = [function.alias for function in functions.values()]
    return {
        kind: Machine(
            kind,
            MachineArgs(
                names=names,
                kind=kind,
                definition=DEFINITIONS[kind](names.live_arn(CONTROL)),
                invokes=_invokes(kind, names),
                data_key_arn=data_key_arn,
                after=aliases,
            ),
            opts,
        )
        for kind in MACHINES
    }


def _invokes(kind: str, names: Names) -> list[Statement]:
    statements = [allow("InvokeControl", ["lambda:InvokeFunction"], [names.live_arn(CONTROL)])]
    # the sweep only asks control, which starts the others
    if kind != "sweep":
        stores = [f"{names.function_arn(store)}:*" for store in STORES]
        statements.append(PINNED_VERSIONS.allow(*stores))
    return statements
