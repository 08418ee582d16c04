"""The three credentials of the stack: where each lies, which target refuses it how, and what its life may cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runs_stack import Stack
from runs_stores import AwsReader, GoogleReader, Reader, VaultReader
from runs_targets import show_postgres, show_token_service, show_verifier

from sandbox.facts import Facts


@dataclass(frozen=True, kw_only=True)
class Credential:
    """`refusal`: how its target refuses the authentication. `writes`, `reads`: store calls that one life may cost."""

    name: str
    function: str
    reader: Callable[[Stack], Reader]
    show: Callable[[Facts, str], str]
    refusal: str
    writes: int
    reads: int


POSTGRES = Credential(
    name="payments/postgres",
    function="aws",
    reader=lambda stack: AwsReader(stack, "payments/postgres"),
    show=show_postgres,
    refusal="28P01",
    writes=2,
    reads=4,
)
API_TOKEN = Credential(
    name="partners/api-token",
    function="vault",
    reader=lambda stack: VaultReader(stack, "partners/api-token"),
    show=show_token_service,
    refusal="401 unknown_token",
    writes=3,
    reads=4,
)
SIGNING_KEY = Credential(
    name="analytics/signing-key",
    function="gcp",
    reader=lambda stack: GoogleReader(stack, "analytics-signing-key"),
    show=show_verifier,
    refusal="401 unknown_key",
    writes=4,
    reads=3,
)
ALL = (POSTGRES, API_TOKEN, SIGNING_KEY)
NAMES = tuple(credential.name for credential in ALL)
