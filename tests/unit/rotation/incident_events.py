"""Events of the bus as AWS delivers them, good ones that a test changes one thing of."""

from __future__ import annotations

from typing import Any

from rotation.incidents.incident import Ours

ACCOUNT = "000000000000"
OURS = Ours(account=ACCOUNT, functions=frozenset({"keyturn-local-aws", "keyturn-local-vault"}))
NOW = "2026-01-01T12:00:00.000000Z"
AT = "2026-01-01T00:00:00Z"
ROLE = f"arn:aws:iam::{ACCOUNT}:role"
ALICE = {
    "type": "AssumedRole",
    "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/administrators/alice",
    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"{ROLE}/administrators"}},
}


def enveloped(source: str, detail_type: str, detail: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The envelope of EventBridge around a detail."""
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "source": source,
        "detail-type": detail_type,
        "account": ACCOUNT,
        "region": "us-east-1",
        "time": AT,
        "resources": [],
        "detail": detail,
        **changes,
    }


def trigger(kind: str = "leak", **changes: Any) -> dict[str, Any]:
    """`keyturn.trigger/1`; a field that is None is left out."""
    detail = {"schema": "keyturn.trigger/1", "id": "finding-1", "kind": kind, "occurred_at": AT, "actor": "scanner"}
    named = {**detail, "secrets": ["group/secret"], **changes}
    kept = {name: value for name, value in named.items() if value is not None}
    return enveloped("keyturn.triggers", "Keyturn Trigger", kept)


def read_call(who: dict[str, Any] | None = None, secret: str = "group/secret", **changes: Any) -> dict[str, Any]:
    """A GetSecretValue as CloudTrail records it."""
    detail = {
        "eventVersion": "1.08",
        "userIdentity": ALICE if who is None else who,
        "eventTime": AT,
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "GetSecretValue",
        "awsRegion": "us-east-1",
        "requestParameters": {"secretId": secret},
        "responseElements": None,
        "requestID": "r-1",
        "eventID": "e-1",
        "readOnly": True,
        **changes,
    }
    return enveloped("aws.secretsmanager", "AWS API Call via CloudTrail", detail)


def label_moved(version: str, secret: str = "group/secret", label: str = "AWSCURRENT") -> dict[str, Any]:
    """A moved label as Secrets Manager tells it."""
    detail = {"name": secret, "labelUpdated": label, "versionId": version}
    return enveloped("aws.secretsmanager", "Secret Label Updated", detail)
