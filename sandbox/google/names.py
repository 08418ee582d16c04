"""Resource names as the service spells them: `projects/P`, `projects/P/secrets/S`, `projects/P/secrets/S/versions/V`.

Names are parsed once at the edge into frozen values, so that no call compares strings it built itself.
Regional names (`projects/P/locations/L/...`) are deliberately not here: the project stores global secrets only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import grpc

from sandbox.google.refusals import Refusal

_PROJECT = re.compile(r"projects/([^/]+)")
_SECRET = re.compile(r"projects/([^/]+)/secrets/([A-Za-z0-9_-]{1,255})")
_VERSION = re.compile(r"(projects/[^/]+/secrets/[A-Za-z0-9_-]{1,255})/versions/([A-Za-z0-9_-]+)")


@dataclass(frozen=True)
class SecretName:
    """`projects/{project}/secrets/{secret}`."""

    project: str
    secret: str

    def __str__(self) -> str:
        return f"projects/{self.project}/secrets/{self.secret}"

    def version(self, number: int) -> str:
        """The full name of one version of this secret."""
        return f"{self}/versions/{number}"


@dataclass(frozen=True)
class VersionName:
    """`{secret}/versions/{label}`; `label` is a number, `latest` or an alias."""

    secret: SecretName
    label: str

    def __str__(self) -> str:
        return f"{self.secret}/versions/{self.label}"

    @property
    def number(self) -> int | None:
        """The version number when the label is one; None for `latest` and aliases."""
        return int(self.label) if self.label.isdecimal() else None


def _malformed(text: str) -> Refusal:
    """INVALID_ARGUMENT, worded as in googleapis/nodejs-secret-manager#74."""
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, f"Resource ID [{text}] is not in a valid format.")


def parse_project(text: str) -> str:
    """The project id of `projects/P`; INVALID_ARGUMENT for anything else."""
    found = _PROJECT.fullmatch(text)
    if found is None:
        raise _malformed(text)
    return found[1]


def parse_secret(text: str) -> SecretName:
    """A secret's name; INVALID_ARGUMENT when malformed."""
    found = _SECRET.fullmatch(text)
    if found is None:
        raise _malformed(text)
    return SecretName(found[1], found[2])


def parse_version(text: str) -> VersionName:
    """A version's name by number, `latest` or alias; INVALID_ARGUMENT when malformed."""
    found = _VERSION.fullmatch(text)
    if found is None:
        raise _malformed(text)
    return VersionName(parse_secret(found[1]), found[2])
