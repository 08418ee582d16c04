"""The sandbox's partners for tests: a token service and a verifier, each started by the fixture that asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from issuer_bench import MARKER, Made, caller_of

from rotation.calls import Meter
from rotation.value import SecretValue
from sandbox.layout import Layout
from sandbox.parts.contract import Part, Request
from sandbox.processes import load, stop


@dataclass
class Partner:
    """A running partner and its authority's token."""

    url: str
    authority: str
    log: Path


@contextmanager
def running(part: Part, directory: Path) -> Iterator[Partner]:
    """A partner in `directory` until the block ends."""
    layout = Layout(directory / "sandbox")
    layout.claim()
    layout.make_fresh()
    try:
        started = part.start(Request(layout=layout, port=0))
        url = str(started.facts[f"{part.name}_url"])
        yield Partner(url, started.credentials[f"{part.name}_authority"], layout.log(part.name))
    finally:
        if found := load(layout.process(part.name)):
            stop(found)


def spoilt(pem: str) -> str:
    """A PEM whose body is not what its frame says."""
    begin, _, rest = pem.partition("\n")
    return f"{begin}\n{MARKER}{rest}"


@dataclass
class HttpBench:
    """Issuers of one class for one partner. `secret_fields` are those of a value that must never be shown."""

    partner: Partner
    issuer_class: Any
    facts: Mapping[str, str]
    secret_fields: tuple[str, ...]
    refusal: str
    mark: Callable[[str], str] = lambda _text: f"{MARKER}\r\nX: {MARKER}"

    def make(self, **facts: str) -> Made:
        meter = Meter()
        given = {"url": self.partner.url, **self.facts, **facts}
        authority = SecretValue.of({"token": self.partner.authority})
        return Made(self.issuer_class(given, lambda: authority, caller_of(self.issuer_class, meter)), meter)

    def nowhere(self) -> Made:
        # port 1 is privileged and unassigned here: nobody listens
        return self.make(url="http://127.0.0.1:1")

    def secrets_of(self, value: SecretValue) -> list[str]:
        fields = value.unsafe_fields()
        return [line for name in self.secret_fields for line in fields[name].splitlines() if not line.startswith("---")]

    def marked(self, value: SecretValue) -> SecretValue:
        fields = value.unsafe_fields()
        return SecretValue.of({**fields, **{name: self.mark(fields[name]) for name in self.secret_fields}})

    def log(self) -> str:
        return self.partner.log.read_text(encoding="utf-8")

    @property
    def authority_text(self) -> str:
        return self.partner.authority
