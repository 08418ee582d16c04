"""The contract of issuers without a target on random strings, and which strings are made."""

from __future__ import annotations

import math
import string
from collections import Counter

import pytest
from issuer_bench import Made, caller_of
from issuer_without_target import IssuerWithoutTargetContract

from rotation.calls import Meter
from rotation.errors import Refused
from rotation.issuers.random_string import RandomString
from rotation.value import SecretValue


def _nobody() -> SecretValue:
    raise AssertionError("the authority's credential is read")


def make(**facts: str) -> Made:
    meter = Meter()
    return Made(RandomString(facts, _nobody, caller_of(RandomString, meter)), meter)


def made_by(**facts: str) -> str:
    return make(**facts).issuer.mint(None).value.unsafe_fields()["value"]


class TestRandomString(IssuerWithoutTargetContract):
    """A string that only its readers compare."""

    @pytest.fixture
    def made(self) -> Made:
        return make()

    def test_without_facts_it_is_32_printable_characters_without_those_that_break_quoting(self) -> None:
        drawn = "".join(made_by() for _ in range(200))
        assert len(drawn) == 200 * 32
        assert set(drawn) == set(string.ascii_letters + string.digits + string.punctuation) - set("/@\"'\\")

    def test_length_alphabet_and_excluded_are_the_policys(self) -> None:
        text = made_by(length="100", alphabet="abcdefgh", excluded="ab")
        assert len(text) == 100
        assert set(text) <= set("cdefgh")
        assert len(made_by(length="4096")) == 4_096

    def test_a_character_that_is_named_twice_is_not_likelier(self) -> None:
        counts = Counter(made_by(length="4096", alphabet="aaaaaaaab"))
        # a fair coin leaves these bounds once in more than 10^14 times
        assert abs(counts["a"] - 2_048) < 8 * math.sqrt(4_096) / 2

    @pytest.mark.parametrize(
        "facts",
        [
            {"length": "0"},
            {"length": "-5"},
            {"length": "4097"},
            {"length": "many"},
            {"length": "9" * 5_000},
            {"length": "10"},
            {"alphabet": "a"},
            {"alphabet": "@/", "excluded": "@/"},
            {"alphabet": "ab", "length": "111"},
            {"url": "https://target"},
        ],
    )
    def test_facts_that_make_no_strong_string_are_refused(self, facts: dict[str, str]) -> None:
        with pytest.raises(Refused) as caught:
            make(**facts)
        assert caught.value.reason == "bad_facts"
