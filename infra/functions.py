"""The four functions of a stack: one per store and control."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi

from infra.encryption import Encryption
from infra.environment import environment
from infra.events import variables
from infra.function import RotationFunction, RotationFunctionArgs
from infra.grants import Arns, grants
from infra.names import FUNCTIONS, STORES, Names
from rotation.policy import Policy


def declare_functions(
    names: Names, policies: Sequence[Policy], keys: Encryption, arns: Arns, opts: pulumi.ResourceOptions
) -> dict[str, RotationFunction]:
    """The functions by kind."""
    return {
        kind: RotationFunction(
            kind,
            RotationFunctionArgs(
                names=names,
                kind=kind,
                statements=grants(kind, names, policies, arns),
                environment=environment(kind, names, keys.signing_key_id, keys.seal_key_arn)
                | _telling(kind, names, arns),
                data_key_arn=keys.data_key_arn,
            ),
            opts,
        )
        for kind in FUNCTIONS
    }


def _telling(kind: str, names: Names, arns: Arns) -> dict[str, Any]:
    """Control promotes nothing and tells nobody; it tells people what their consumers are configured with."""
    if kind in STORES:
        return variables(kind, names, arns.event_queue, arns.event_keys)
    return {"KEYTURN_PUBLISHED": arns.published}
