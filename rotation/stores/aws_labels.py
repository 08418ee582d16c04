"""Staging labels as DescribeSecret tells them: which version is current, which is pending.

DescribeSecret and not ListSecretVersionIds, which hides a pending version without a value (botocore's model). A label
is on one version; where the service itself shows it on several, as an emulator does that leaves AWSPENDING behind, the
one named last is taken for its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CURRENT = "AWSCURRENT"
PENDING = "AWSPENDING"
PREVIOUS = "AWSPREVIOUS"


@dataclass(frozen=True, kw_only=True)
class RotationState:
    """What the four-step contract checks: `labels` maps a version's id to its staging labels."""

    name: str
    enabled: bool
    labels: Mapping[str, tuple[str, ...]]
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Labels of one secret by version id, in the service's own order; versions without any are not told."""

    by_version: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Labels:
        """From an answer of DescribeSecret; a secret without versions has no map at all."""
        stages: Mapping[str, list[str]] = described.get("VersionIdsToStages") or {}
        return cls(by_version={version: tuple(labels) for version, labels in stages.items()})

    def holders(self, label: str) -> tuple[str, ...]:
        """Every version that is shown with the label: at most one on AWS."""
        return tuple(version for version, labels in self.by_version.items() if label in labels)

    def version(self, label: str) -> str | None:
        """The version that has the label."""
        found = self.holders(label)
        return found[-1] if found else None

    def pending(self) -> str | None:
        """The pending version. AWSPENDING on the current one is what a finished rotation leaves: nothing is pending."""
        found = self.version(PENDING)
        return found if found != self.version(CURRENT) else None
