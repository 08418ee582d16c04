"""Who a verified caller is: the role of a session, and the person behind an ARN.

API Gateway's HTTP APIs let principals of their own account in and nobody else's, so a role's name is enough. A person
is told by the last part of the ARN: a user's name, or a session's. It is the trust policy of a role that makes a
session carry its user's name (`bootstrap.approver_role`); a role that lets its users choose cannot tell two people.
"""

from __future__ import annotations

# `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE` (IAM user guide, "IAM identifiers").
_PARTS = 6
_SESSION = "assumed-role"
# `assumed-role/ROLE/SESSION`
_SESSION_PARTS = 3


def role_of(actor: str) -> str:
    """The name of the role whose session the actor is; "" for a user, the root, and what is no ARN."""
    parts = _resource(actor).split("/")
    return parts[1] if parts[0] == _SESSION and len(parts) == _SESSION_PARTS else ""


def same_person(one: str, other: str) -> bool:
    """Whether two actors are one principal, or one name under two sessions. The sweep is nobody."""
    if one == other:
        return True
    return bool(_name(one)) and _name(one) == _name(other)


def _name(actor: str) -> str:
    return _resource(actor).rpartition("/")[2].casefold()


def _resource(actor: str) -> str:
    parts = actor.split(":", _PARTS - 1)
    return parts[-1] if parts[0] == "arn" and len(parts) == _PARTS else ""
