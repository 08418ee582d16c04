"""A random string that no system checks: a pepper, a cookie key, a password that only the readers themselves compare.

There is no target, so nothing can be asked whether the string works or is dead: `has_target` says so, tests and proofs
are recorded as not applicable, and the effects do nothing. Old and new overlap in the store alone: readers that have to
accept both keep the one before until the overlap ends. Not here: what one's own systems demand: those are facts.
"""

from __future__ import annotations

import math
import secrets
import string
from collections.abc import Callable, Mapping
from typing import ClassVar

from rotation.calls import Caller
from rotation.contract import Fence, IssuerCapabilities, Minted, Probe, Verdict
from rotation.errors import KeyturnError
from rotation.issuers.facts import bad_facts, check_facts, read_fields
from rotation.value import SecretValue

DEFAULT_LENGTH = 32
# As Secrets Manager's GetRandomPassword; the smallest store takes 64 KiB.
LONGEST = 4_096
DEFAULT_ALPHABET = string.ascii_letters + string.digits + string.punctuation
# What connection strings, shells and JSON trip over; the rotation templates of AWS leave out the same.
DEFAULT_EXCLUDED = "/@\"'\\"
# NIST SP 800-131A: 112 bits is the least that a secret may have against somebody who can try without a limit.
LEAST_BITS = 112


class RandomString:
    """A random string.

    facts: `length` (characters, 32), `alphabet` (the characters to draw from), `excluded` (characters never drawn).
    authority and caller are those of every issuer; nothing is asked of them.
    """

    kind: ClassVar[str] = "random-string"
    capabilities: ClassVar[IssuerCapabilities] = IssuerCapabilities(
        overlaps=True, fenced=True, ends_sessions=False, needs_current=False, rollback_horizon=1, has_target=False
    )

    def __init__(self, facts: Mapping[str, str], authority: Callable[[], SecretValue], caller: Caller) -> None:
        del authority, caller
        check_facts(self.kind, facts, needed=(), optional=("length", "alphabet", "excluded"))
        self._length = self._read_length(facts.get("length", str(DEFAULT_LENGTH)))
        excluded = set(facts.get("excluded", DEFAULT_EXCLUDED))
        # sorted, so that a character that is named twice is not likelier than another
        self._characters = sorted(set(facts.get("alphabet", DEFAULT_ALPHABET)) - excluded)
        if self._bits() < LEAST_BITS:
            raise bad_facts(self.kind, f"makes strings of fewer than {LEAST_BITS} bits: give more length or characters")

    @staticmethod
    def translate(exc: Exception) -> KeyturnError | None:
        """The translation table: nobody is called, so nothing is translated."""
        del exc
        return None

    def mint(self, current: SecretValue | None) -> Minted:
        """A new string in the field `value`; `current` is not needed. What is told of it is its length."""
        del current
        text = "".join(secrets.choice(self._characters) for _ in range(self._length))
        return Minted(value=SecretValue.of({"value": text}), public={"length": str(self._length)})

    def apply(self, value: SecretValue, fence: Fence) -> None:
        """Nothing but the look at the value: Refused `malformed_value` when its field is missing."""
        del fence
        read_fields(value, "value")

    def restore(self, value: SecretValue, fence: Fence) -> None:
        """As `apply`."""
        self.apply(value, fence)

    def withdraw(self, value: SecretValue, fence: Fence) -> None:
        """As `apply`."""
        self.apply(value, fence)

    def revoke(self, value: SecretValue, fence: Fence) -> int:
        """As `apply`; 0 sessions."""
        self.apply(value, fence)
        return 0

    def check(self, public: Mapping[str, str], fence: Fence) -> Probe:
        """REFUSED `not_held`: no target holds anything of any run."""
        del public, fence
        return Probe(verdict=Verdict.REFUSED, code="not_held", detail="no target holds this credential")

    def probe(self, value: SecretValue) -> Probe:
        """UNPROVEN `no_target`: nobody can be asked, which proves neither life nor death."""
        del value
        return Probe(verdict=Verdict.UNPROVEN, code="no_target", detail="no target accepts or refuses this credential")

    def _bits(self) -> float:
        return self._length * math.log2(len(self._characters)) if self._characters else 0.0

    def _read_length(self, text: str) -> int:
        # bounded before it is read: int() refuses thousands of digits in its own words
        if text.isascii() and text.isdecimal() and len(text) <= len(str(LONGEST)) and 0 < int(text) <= LONGEST:
            return int(text)
        raise bad_facts(self.kind, f"has a `length` that is no number from 1 to {LONGEST}")
