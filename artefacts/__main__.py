"""`python -m artefacts build|report`.

Exit codes: 0 done, 1 over the budget (with --enforce), 2 usage, 3 could not build.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from artefacts.build import DEFAULT_OUT, Artefact, build_all
from artefacts.cold_import import BUDGET, RUNS, ColdImport, measure
from artefacts.table import FUNCTIONS
from rotation.errors import KeyturnError

OVER_BUDGET = 1
COULD_NOT_BUILD = 3
_MEGABYTE = 1024 * 1024

app = typer.Typer(help=__doc__, add_completion=False, no_args_is_help=True)
Root = Annotated[Path, typer.Option(help="the project")]
Out = Annotated[Path, typer.Option(help="where the zips go, below the project unless absolute")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON document instead of a table")]


@app.command()
def build(root: Root = Path(), out: Out = DEFAULT_OUT, as_json: AsJson = False) -> None:
    """Build every function zip and print sizes and digests."""
    rows = [_described(artefact) for artefact in build_all(root.resolve(), out)]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        typer.echo(f"{row['name']:8} {_sizes(row)}  {row['source_or_bytecode']}  sha256:{row['sha256']}")


@app.command()
def report(
    root: Root = Path(),
    out: Out = DEFAULT_OUT,
    as_json: AsJson = False,
    enforce: Annotated[bool, typer.Option("--enforce", help="exit 1 when a ratio is over the budget")] = False,
    runs: Annotated[int, typer.Option(min=1, help="timed imports of each side")] = RUNS,
) -> None:
    """Build, then print sizes and cold import times (processor time) as ratios to the bare imports of the same SDKs."""
    rows = []
    for function, artefact in zip(FUNCTIONS, build_all(root.resolve(), out), strict=True):
        rows.append(_described(artefact) | _timed(measure(function, artefact, runs)))
        if not as_json:
            typer.echo(_line(rows[-1]))
    over = [str(row["name"]) for row in rows if not row["within_budget"]]
    if as_json:
        typer.echo(json.dumps({"budget": BUDGET, "runs": runs, "over_budget": over, "functions": rows}, indent=2))
    else:
        typer.echo(
            f"budget {BUDGET:.2f}, medians of {runs} runs: " + (f"over: {', '.join(over)}" if over else "all within")
        )
    if over and enforce:
        raise typer.Exit(OVER_BUDGET)


def _described(artefact: Artefact) -> dict[str, object]:
    return asdict(artefact) | {"path": str(artefact.path)}


def _timed(times: ColdImport) -> dict[str, object]:
    medians: dict[str, object] = {"handler_s": median(times.handler_s), "sdks_s": median(times.sdks_s)}
    return medians | {"ratio": times.ratio, "within_budget": times.ratio <= BUDGET}


def _sizes(row: dict[str, object]) -> str:
    zipped, unpacked = (int(str(row[key])) / _MEGABYTE for key in ("bytes", "unpacked_bytes"))
    return f"{zipped:6.2f} MB zipped {unpacked:7.2f} MB unpacked"


def _line(row: dict[str, object]) -> str:
    handler, sdks, ratio = (float(str(row[key])) for key in ("handler_s", "sdks_s", "ratio"))
    mark = "" if row["within_budget"] else "  over the budget"
    return f"{row['name']:8} {_sizes(row)}  import {handler:.3f} s, bare SDKs {sdks:.3f} s, ratio {ratio:.2f}{mark}"


if __name__ == "__main__":
    try:
        app()
    except KeyturnError as refused:
        typer.echo(f"artefacts: {refused} {refused.remedy}".rstrip(), err=True)
        sys.exit(COULD_NOT_BUILD)
