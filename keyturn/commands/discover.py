"""`keyturn discover`: secrets in the three stores that no policy rotates, and drafts of policies for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from keyturn import discover_clients
from keyturn.console import err, show, table
from keyturn.discover_drafts import Draft, write_drafts
from keyturn.discover_found import STORES, Found
from keyturn.discover_known import known
from keyturn.discovery import Discovered
from keyturn.discovery import discover as discovered
from keyturn.exits import Exit
from keyturn.options import AsJson, StackName

_NOTHING = "-"


def _store(text: str) -> str:
    if text and text not in STORES:
        raise typer.BadParameter(f"the stores are {', '.join(STORES)}")
    return text


Store = Annotated[str, typer.Option("--store", help="Only this one: aws, vault or gcp.", callback=_store)]
Drafts = Annotated[Path | None, typer.Option("--drafts", help="Write a draft of a policy for each into this folder.")]


def discover(
    store: Store = "",
    drafts: Drafts = None,
    stack: StackName = "local",
    as_json: AsJson = False,
) -> int:
    """List secrets that no policy of this checkout rotates, with their age and readers where the store tells.

    Asks the stores with your own credentials, for names, times and permissions, never for a value. Ends with 24 when
    a store, or a part of one, could not be listed: what is shown then is not all there is.

    For example:

        keyturn discover

        keyturn discover --store vault --drafts drafts --stack prod
    """
    listings = discover_clients.listings(stack)
    chosen = {name: listings[name] for name in STORES if store in {"", name}}
    with _progress() as tell:
        found = discovered(chosen, known(stack), tell)
    written = write_drafts(found.unmanaged, drafts) if drafts else []
    show(_shown(found, written), _document(found, written, stack), as_json=as_json)
    return Exit.INCOMPLETE if found.not_listed else Exit.DONE


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    console = err()
    if not console.is_terminal:
        said: set[str] = set()

        def tell(text: str) -> None:
            # a line per store, not one per secret
            if (short := text.partition(":")[0]) not in said:
                said.add(short)
                console.print(short)

        yield tell
        return
    with console.status("listing") as status:
        yield status.update


def _shown(found: Discovered, drafts: Sequence[Draft]) -> RenderableType:
    now = datetime.now(UTC)
    managed = ", ".join(f"{count} in {store}" for store, count in found.managed.items())
    lines: list[RenderableType] = [Text(f"rotated by a policy: {managed}")]
    if found.unmanaged:
        lines.append(_unmanaged(found.unmanaged, now))
    elif not found.not_listed:
        lines.append(Text("every other secret is Keyturn's own", style="green"))
    lines += [
        Text(f"{one.store}  {one.path}: authority of {', '.join(names)}", style="dim")
        for one, names in found.authorities
    ]
    for missing in found.not_listed:
        text = f"not listed: {missing.what} in {missing.store}: {missing.message} [{missing.reason}]; {missing.remedy}"
        lines.append(Text(text, style="red"))
    lines += [Text(f"{'wrote' if one.written else 'left as it was:'} {one.file}") for one in drafts]
    return Group(*lines)


def _unmanaged(found: Sequence[Found], now: datetime) -> RenderableType:
    drawn = table("", "store", "secret", "made", "unchanged for", "last read", "readers", "owner", "note")
    for one in found:
        age = one.age_days(now)
        readers = _NOTHING if one.readers is None else ", ".join(one.readers) or "nobody by its own policy"
        unchanged = f"{age} d" if age is not None else _NOTHING
        drawn.add_row(
            *(one.store, one.path, _day(one.created), unchanged, _day(one.accessed), readers), one.owner, one.note
        )
    return drawn


def _day(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d}" if when else _NOTHING


def _document(found: Discovered, drafts: Sequence[Draft], stack: str) -> dict[str, object]:
    first = found.not_listed[0] if found.not_listed else None
    failure: dict[str, object] = {}
    if first:
        message = f"{first.what}: {first.message}"
        failure = {"reason": first.reason, "message": message, "remedy": first.remedy}
        failure["exit_code"] = int(Exit.INCOMPLETE)
    return {
        "ok": first is None,
        "stack": stack,
        "unmanaged": found.unmanaged,
        "authorities": [{"store": one.store, "path": one.path, "of": names} for one, names in found.authorities],
        "managed": found.managed,
        "not_listed": found.not_listed,
        "drafts": [
            {"store": one.store, "path": one.path, "file": str(one.file), "written": one.written} for one in drafts
        ],
        **failure,
    }
