"""A secret value is compared and revealed on purpose only; nothing prints, pickles or serialises it by accident."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import asdict, dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rotation.contract import Minted, Observation
from rotation.value import SecretValue

MARKER = "Mark3r-hunter2"
fields = st.dictionaries(st.text(), st.text(), max_size=4)


@dataclass
class Holder:
    """A plain dataclass around a value."""

    value: SecretValue


@pytest.mark.parametrize(
    "shown",
    [
        repr,
        str,
        lambda v: f"{v}",
        lambda v: f"{v:>40}",
        lambda v: f"{v!r:s}",
        lambda v: "%s %r" % (v, v),  # noqa: UP031 - this form too
        lambda v: repr([v, {"a": v}]),
        lambda v: repr(Holder(v)),
        lambda v: repr(Minted(value=v)),
        lambda v: repr(Observation(current=None, value=v)),
        lambda v: str(ValueError(v)),
        lambda v: str(dir(v)),
    ],
)
def test_no_way_of_printing_shows_the_text(shown: Callable[[SecretValue], str]) -> None:
    text = shown(SecretValue(MARKER))
    assert MARKER not in text
    assert text


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy, lambda v: asdict(Holder(v))])
def test_it_cannot_be_pickled_or_copied_into_a_dictionary(copied: Callable[[SecretValue], object]) -> None:
    with pytest.raises(TypeError) as caught:
        copied(SecretValue(MARKER))
    assert MARKER not in str(caught.value)


@pytest.mark.parametrize("used", [json.dumps, hash, vars, lambda v: {v: 1}, lambda v: v + "", iter, len, bytes])
def test_it_is_neither_json_nor_a_key_nor_a_text(used: Callable[[object], object]) -> None:
    with pytest.raises(TypeError) as caught:
        used(SecretValue(MARKER))
    assert MARKER not in str(caught.value)


@given(fields)
def test_fields_come_back_as_they_went_in(given_fields: dict[str, str]) -> None:
    assert SecretValue.of(given_fields).unsafe_fields() == given_fields


@given(fields)
def test_equal_fields_are_equal_values_in_any_order(given_fields: dict[str, str]) -> None:
    turned = SecretValue.of(dict(reversed(given_fields.items())))
    assert turned == SecretValue.of(given_fields)
    assert turned.fingerprint() == SecretValue.of(given_fields).fingerprint()


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
@example("same beginning", "same ending")
def test_equality_and_fingerprint_are_those_of_the_text(one: str, other: str) -> None:
    assert (SecretValue(one) == SecretValue(other)) is (one == other)
    assert (SecretValue(one).fingerprint() == SecretValue(other).fingerprint()) is (one == other)
    assert SecretValue(one) != one


@pytest.mark.parametrize("text", ["", "plain", "[1]", '"text"', "null", f'{{"password": "{MARKER}"', MARKER])
def test_a_value_that_is_no_object_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(ValueError, match="not a JSON object") as caught:
        SecretValue(text).unsafe_fields()
    chain = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert MARKER not in repr(chain)
    assert caught.value.__suppress_context__


def test_the_fingerprint_is_short_hex_and_not_the_text() -> None:
    fingerprint = SecretValue(MARKER).fingerprint()
    assert len(fingerprint) == 16
    assert int(fingerprint, 16)
