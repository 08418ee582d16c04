"""A stack's configuration file, read as the `pulumi` command reads it, where there is no command to do so."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from infra.config import ROOT


def stack_config(stack: str, root: Path = ROOT) -> dict[str, str]:
    """`Pulumi.<stack>.yaml` as the command hands it to a program: lists and numbers as JSON text."""
    loaded = yaml.safe_load((root / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in loaded["config"].items()}
