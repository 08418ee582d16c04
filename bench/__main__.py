"""`python -m bench rotation`: measure on a sandbox of its own, show tables or JSON, write the result files."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from bench.counted import count
from bench.place import Place, deployed
from bench.report import Measured, report
from bench.tables import Table, cost_tables, counted_tables, timed_tables
from bench.timed import first_values, take_times
from bench.written import write
from keyturn.attended import unattended
from keyturn.console import emit, out, table
from keyturn.failures import tell as tell_error
from keyturn.telling import Tell, stages
from rotation.errors import KeyturnError

# A median of five bears two slow ones.
ROUNDS = 5
# Cold lives take four times as long, and differ by a hundredfold from warm ones: two show it.
COLD_ROUNDS = 2
# Two, so that what differs between them shows.
COUNTED_ROUNDS = 2

app = typer.Typer(help=__doc__, add_completion=False, pretty_exceptions_enable=False)
Rounds = Annotated[int, typer.Option(min=1, help="Timed lives of each credential.")]
Rotations = Annotated[int, typer.Option(min=0, help="Rotations of each lane; 0 for as many as usual.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")]
NoFiles = Annotated[bool, typer.Option("--no-files", help="Leave bench/results as it is.")]


@app.callback()
def verbs() -> None:
    """Keep `rotation` a verb of its own."""


@app.command()
def rotation(rounds: Rounds = ROUNDS, as_json: AsJson = False, no_files: NoFiles = False) -> None:
    """Calls, cost and time of one rotation of each credential."""
    with stages() as tell, deployed(tell) as place:
        document = report(_measured(place, tell, rounds))
    if not no_files:
        write(document)
    if as_json:
        emit(document)
    else:
        _show(document)


@app.command("sweep")
def one_sweep(as_json: AsJson = False, no_files: NoFiles = False) -> None:
    """Items, bytes and memory of one look at 100,000 policies of which 1,000 are due."""
    from bench import sweep  # noqa: PLC0415 - it needs the models of the tests, which nothing else here does

    document = sweep.measured()
    if not no_files:
        sweep.write(document)
    if as_json:
        emit(document)
    else:
        out().print(sweep.markdown(document))


@app.command("subscribers")
def to_the_last(rotations: Rotations = 0, as_json: AsJson = False, no_files: NoFiles = False) -> None:
    """From a label's move, and from publishing, to the last of 50 acknowledgements: Redis up, restarted, down."""
    from bench import subscribers, subscribers_file  # noqa: PLC0415 - as above

    with stages() as tell:
        document = subscribers.measured(tell, rotations or subscribers.ROTATIONS)
    if not no_files:
        subscribers_file.write(document)
    if as_json:
        emit(document)
    else:
        out().print(subscribers_file.markdown(document))


def _measured(place: Place, tell: Tell, rounds: int) -> Measured:
    # whoever waits for a person or a consumer has no wall time of its own
    secrets = [standing.secret for standing in unattended(place.control.status([]))]
    tell.heading(f"first values of {len(secrets)} credentials")
    first_values(place, secrets)
    tell.heading(f"timing {rounds} warm and {COLD_ROUNDS} cold lives of each")
    timed = take_times(place, secrets, rounds, COLD_ROUNDS)
    tell.heading(f"counting {COUNTED_ROUNDS} lives of each, through proxies")
    counted, sweep = count(place, secrets, COUNTED_ROUNDS)
    return Measured(counted=counted, sweep=sweep, timed=timed)


def _show(document: Mapping[str, Any]) -> None:
    console = out()
    for one in (*counted_tables(document), *cost_tables(document), *timed_tables(document)):
        console.print(_rich(one))
        if one.note:
            console.print(one.note, style="dim")
        console.print()


def _rich(one: Table) -> Any:
    made = table(one.title, *one.columns)
    for row in one.rows:
        made.add_row(*row)
    return made


if __name__ == "__main__":
    try:
        app()
    except KeyturnError as refused:
        sys.exit(tell_error(refused, as_json=False))
