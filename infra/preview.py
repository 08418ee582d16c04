"""`python -m infra.preview --stack prod`: what the program declares, as a tree, and how that differs from the baseline.

Needs no cloud and no `pulumi` command, and changes nothing but, when asked, the stored baseline. Exit codes: 0 shown,
1 differs (with --strict), 2 the configuration or a policy is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console

from infra.baseline import Difference, Picture, differences, load, picture, save
from infra.config_keys import ENVIRONMENTS
from infra.recording import Recorded, record
from infra.tree import differences_shown, tree
from rotation.errors import KeyturnError

_SHOWN, _DIFFERS, _WRONG = 0, 1, 2
# Wide enough that a field's two values stay on one line where output is not a terminal.
_WIDTH = 160


def main(arguments: Sequence[str] | None = None) -> int:
    """Show one stack; returns the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        resources = record(asked.stack)
    except KeyturnError as refused:
        Console(stderr=True).print(f"{refused.message}\n{refused.remedy}", style="red", markup=False)
        return _WRONG
    current = picture(resources)
    stored = load(asked.stack)
    found = differences(stored or {}, current)
    if asked.json:
        sys.stdout.write(_as_json(asked.stack, current, found))
    else:
        _show(asked.stack, resources, found, stored=stored is not None)
    if asked.update_baseline:
        save(asked.stack, current)
    return _DIFFERS if found and asked.strict and not asked.update_baseline else _SHOWN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra.preview", description="What the program declares for one stack.")
    parser.add_argument("--stack", choices=ENVIRONMENTS, default="local")
    parser.add_argument("--update-baseline", action="store_true", help="store what is declared now as the baseline")
    parser.add_argument("--json", action="store_true", help="print the picture and the differences as JSON")
    parser.add_argument("--strict", action="store_true", help="exit 1 when the declaration differs from the baseline")
    return parser


def _show(stack: str, resources: Sequence[Recorded], found: Sequence[Difference], *, stored: bool) -> None:
    output = Console(width=None if sys.stdout.isatty() else _WIDTH)
    output.print(tree(stack, resources))
    if not stored:
        output.print("\nno baseline is stored yet: --update-baseline stores this one")
    elif found:
        output.print(f"\n{len(found)} differences from the baseline:")
        output.print(differences_shown(found))
    else:
        output.print("\nno difference from the baseline")


def _as_json(stack: str, current: Picture, found: Sequence[Difference]) -> str:
    document = {"stack": stack, "resources": current, "differences": [asdict(one) for one in found]}
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
