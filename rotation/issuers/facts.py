"""Reading what an issuer is given: a policy's target facts and the fields of a value, each refusal without a value.

One place, so that every issuer refuses the same way: a missing or unknown fact, a value that lacks a field.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping

from rotation.errors import Refused
from rotation.value import SecretValue


def check_facts(
    kind: str, facts: Mapping[str, str], *, needed: Collection[str], optional: Collection[str] = ()
) -> None:
    """Refused `bad_facts` names the facts that are missing or empty, and those that `kind` does not know."""
    missing = sorted(name for name in needed if not facts.get(name))
    unknown = sorted(set(facts) - set(needed) - set(optional))
    if missing:
        raise bad_facts(kind, f"lacks {', '.join(missing)}")
    if unknown:
        raise bad_facts(kind, f"has {', '.join(unknown)}, which it does not know")


def bad_facts(kind: str, problem: str) -> Refused:
    """The refusal of a policy's target: `problem` continues the sentence 'the target of <kind> ...'."""
    return Refused("bad_facts", f"the target of {kind} {problem}", "correct `target` in the policy")


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, the only one that may be spoken to without TLS."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_fields(value: SecretValue, *names: str) -> dict[str, str]:
    """The named fields of a credential; Refused `malformed_value` says which one is missing, never what is there."""
    try:
        fields = value.unsafe_fields()
    except ValueError:
        fields = {}
    for name in names:
        if not fields.get(name):
            raise Refused(
                "malformed_value",
                f"the credential has no field `{name}`",
                "look at how the version was written: a credential is a flat JSON object",
            )
    return {name: fields[name] for name in names}
