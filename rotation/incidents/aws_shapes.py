"""Two events that AWS sends by itself: a read of a secret, by way of CloudTrail, and a moved label.

Shapes: CloudTrail user guide, "CloudTrail record contents" and "userIdentity element"; EventBridge and Secrets Manager
user guides for the envelope and for `Secret Label Updated`. A read that was refused showed nobody anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rotation.contract import SecretRef
from rotation.incidents.fields import bad, moment, part, plain, shown
from rotation.incidents.incident import Incident, Kind, Ours

SOURCE = "aws.secretsmanager"
CALL, LABEL = "AWS API Call via CloudTrail", "Secret Label Updated"
# The one that names its secrets in the answer only (BatchGetSecretValue) is recorded as a read of each, too.
READ = "GetSecretValue"
_CURRENT = "AWSCURRENT"
# Secrets Manager's own ending of an ARN: a hyphen and six characters.
_ENDING = re.compile(r"-[A-Za-z0-9]{6}$")


def read_call(event: Mapping[str, Any], detail: Mapping[str, Any], ours: Ours, now: str) -> Incident:
    """The human read in a record of CloudTrail; Refused `bad_event`."""
    if detail.get("eventName") != READ or detail.get("eventSource") != "secretsmanager.amazonaws.com":
        raise bad("eventName", f"`{READ}` of Secrets Manager")
    del event
    who = part(detail, "userIdentity")
    principal = _principal(who)
    return Incident(
        id=plain(detail, "eventID"),
        kind=Kind.HUMAN_READ,
        source=SOURCE,
        at=moment(detail, "eventTime", now),
        actor=shown(who, "arn") or principal,
        principal=principal,
        places=_places(plain(part(detail, "requestParameters"), "secretId")),
        harmless=_harmless(detail, who, principal, ours),
    )


def _harmless(detail: Mapping[str, Any], who: Mapping[str, Any], principal: str, ours: Ours) -> str:
    if detail.get("errorCode"):
        return "nothing_read"
    if who.get("type") == "AWSService":
        return "aws_service"
    return "own_read" if ours.owns(principal) else ""


def _principal(who: Mapping[str, Any]) -> str:
    """The role behind a session, which is what policies declare; else the identity itself."""
    if who.get("type") == "AWSService":
        return plain(who, "invokedBy")
    issuer = part(part(who, "sessionContext"), "sessionIssuer")
    return plain(issuer, "arn") if "arn" in issuer else plain(who, "arn")


def read_label(event: Mapping[str, Any], detail: Mapping[str, Any], ours: Ours, now: str) -> Incident:
    """The move of a label; only AWSCURRENT is what readers get."""
    del ours
    name, version = plain(detail, "name"), plain(detail, "versionId")
    return Incident(
        id=plain(event, "id"),
        kind=Kind.OUTSIDE_CHANGE,
        source=SOURCE,
        at=moment(event, "time", now),
        # the event does not tell; CloudTrail does
        actor="somebody",
        places=(SecretRef(store="aws", path=name),),
        version=version,
        harmless="" if plain(detail, "labelUpdated") == _CURRENT else "another_label",
    )


def _places(secret_id: str) -> tuple[SecretRef, ...]:
    """A name, a whole ARN or one without its ending, which cannot be told from a name that looks like one."""
    if not secret_id.startswith("arn:"):
        return (SecretRef(store="aws", path=secret_id),)
    name = secret_id.partition(":secret:")[2]
    if not name:
        raise bad("secretId", "a name, or the ARN of a secret")
    return tuple(SecretRef(store="aws", path=path) for path in dict.fromkeys((_ENDING.sub("", name), name)))
