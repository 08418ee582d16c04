"""What this checkout says of the policies of a stack: resolved as the program would, to compare with the catalogue."""

from __future__ import annotations

from keyturn.answers import Standing
from keyturn.policy_files import all_policies
from keyturn.stack import LOCAL, texts
from sandbox.layout import Layout

DRIFT_REMEDY = "the run follows the catalogue: apply the stack to bring it to this checkout, or update the checkout"


def digests(stack_name: str) -> dict[str, str]:
    """The digest of every policy by name; Refused `bad_configuration`, `bad_policies`."""
    from infra.config import settings  # noqa: PLC0415  # imports pulumi
    from infra.resolved import resolved  # noqa: PLC0415

    configured = texts(stack_name)
    if stack_name == LOCAL:
        configured["sandboxFacts"] = str(Layout.from_env().facts)
    return {policy.name: policy.digest() for policy in resolved(all_policies(), settings(stack_name, configured))}


def drift(standing: Standing, known: dict[str, str]) -> str:
    """How the catalogue's policy differs from this checkout's; empty when it does not."""
    if standing.secret not in known:
        return "this checkout has no policy of that name"
    if known[standing.secret] != standing.policy.digest:
        return "the catalogue's policy differs from this checkout's"
    return ""
