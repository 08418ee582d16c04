"""A function imports only the issuer that it asks for, and an issuer imports its SDK only when it needs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rotation.errors import Refused
from rotation.issuers.registry import issuer_class, known_kinds

CHECKOUT = Path(__file__).resolve().parents[3]
SDKS = ("pg8000", "scramp", "cryptography")


@pytest.mark.parametrize("kind", known_kinds())
def test_every_kind_names_a_class_that_calls_itself_so(kind: str) -> None:
    assert issuer_class(kind).kind == kind


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Refused) as caught:
        issuer_class("carrier-pigeon")
    assert caught.value.reason == "unknown_credential"
    assert all(kind in caught.value.remedy for kind in known_kinds())


@pytest.mark.parametrize("kind", known_kinds())
def test_importing_an_issuer_imports_neither_an_sdk_nor_another_issuer(kind: str) -> None:
    program = (
        "import sys\n"
        "from rotation.issuers.registry import issuer_class\n"
        "before = {name for name in sys.modules if name.startswith('rotation.issuers.')}\n"
        f"print(before, issuer_class({kind!r}).__module__)\n"
        "print(*sys.modules, sep='\\n')\n"
    )
    done = subprocess.run(  # noqa: S603 - this interpreter and a program of this test
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    first, *loaded = done.stdout.splitlines()
    assert first.startswith("{'rotation.issuers.registry'} ")
    assert not [name for name in loaded if name.partition(".")[0] in SDKS]
    classes = {issuer_class(other).__module__ for other in known_kinds()}
    assert classes & set(loaded) == {issuer_class(kind).__module__}
