"""Secrets of an account and region: ListSecrets, and GetResourcePolicy for who may read. No value is asked for.

Readers are those of the secret's own policy; an identity's policy may allow more, which no secret knows of.
Source: botocore's Secrets Manager service model (SecretListEntry).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from keyturn.discover_found import Found, Unlisted, unlisted
from rotation.calls import Caller, Kind
from rotation.errors import KeyturnError, NotFound

# What lets somebody have the value; a statement may say it with `*` and `?`, in any case.
_READS = ("secretsmanager:getsecretvalue", "secretsmanager:batchgetsecretvalue")
# Stands for what a statement says by exclusion: nobody can be named from it.
_ALL_BUT = "all but those its policy names"
_POLICY_TAG = "keyturn:policy"
_OWNER_TAG = "owner"


class AwsListing:
    """`client` is a boto3 Secrets Manager client of the person."""

    store: ClassVar[str] = "aws"
    needs: ClassVar[str] = "secretsmanager:ListSecrets on * and secretsmanager:GetResourcePolicy on the secrets"

    def __init__(self, client: Any, caller: Caller) -> None:
        self._client = client
        self._caller = caller
        self.skipped: list[Unlisted] = []

    def listed(self) -> Iterator[Found]:
        """Pages of ListSecrets; secrets that are being deleted are not among them."""
        request: dict[str, Any] = {}
        while True:
            page = self._caller.call(Kind.READ, lambda: self._client.list_secrets(**request))
            yield from map(_found, page["SecretList"])
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]

    def detailed(self, found: Found) -> Found:
        """The principals of its resource policy; None where it may not be read, which is noted once each."""
        try:
            answer = self._caller.call(Kind.READ, lambda: self._client.get_resource_policy(SecretId=found.path))
        except NotFound:
            return found
        except KeyturnError as exc:
            self.skipped.append(unlisted(self.store, f"readers of {found.path}", exc, f"it takes {self.needs}"))
            return found
        return replace(found, readers=_principals(answer.get("ResourcePolicy") or "{}"))


def _found(entry: dict[str, Any]) -> Found:
    tags = {tag.get("Key", ""): tag.get("Value", "") for tag in entry.get("Tags", ())}
    return Found(
        store="aws",
        path=entry["Name"],
        created=entry.get("CreatedDate"),
        changed=entry.get("LastRotatedDate") or entry.get("LastChangedDate"),
        accessed=entry.get("LastAccessedDate"),
        owner=next((value for key, value in tags.items() if key.lower() == _OWNER_TAG), ""),
        note="; ".join(_notes(entry, tags)),
    )


def _notes(entry: dict[str, Any], tags: dict[str, str]) -> Iterator[str]:
    if entry.get("OwningService"):
        yield f"belongs to the service {entry['OwningService']}"
    if entry.get("RotationEnabled"):
        yield "rotated by a function that is not Keyturn's"
    if _POLICY_TAG in tags:
        yield f"its policy {tags[_POLICY_TAG]} was removed"


def _principals(document: str) -> tuple[str, ...]:
    statements = json.loads(document).get("Statement", [])
    readers = {
        who
        for statement in (statements if isinstance(statements, list) else [statements])
        if statement.get("Effect") == "Allow" and _lets_read(statement)
        for who in ([_ALL_BUT] if "NotPrincipal" in statement else _named(statement.get("Principal", {})))
    }
    return tuple(sorted(readers))


def _lets_read(statement: dict[str, Any]) -> bool:
    if "NotAction" in statement:
        return any(not _said(read, statement["NotAction"]) for read in _READS)
    return any(_said(read, statement.get("Action", [])) for read in _READS)


def _said(read: str, actions: str | list[str]) -> bool:
    patterns = [actions] if isinstance(actions, str) else actions
    # IAM knows `*` and `?` only; square brackets are letters to it
    return any(fnmatchcase(read, pattern.lower().replace("[", "[[]")) for pattern in patterns)


def _named(principal: str | dict[str, str | list[str]]) -> Iterator[str]:
    if isinstance(principal, str):
        yield principal
        return
    for named in principal.values():
        yield from [named] if isinstance(named, str) else named
