"""Where the policies' secrets lie in AWS Secrets Manager, as patterns: the folder of each name.

A new policy in a known folder needs no change of the bootstrap; a new folder does, and an administrator looks at it.
"""

from __future__ import annotations

from collections.abc import Sequence

from infra.authorities import named
from infra.names import Names
from rotation.policy import Policy

# Secrets Manager puts a hyphen and six characters behind the name.
_SUFFIX = "-??????"


def secret_patterns(names: Names, policies: Sequence[Policy]) -> list[str]:
    """ARN patterns of the secrets that policies of the store `aws` rotate, and of their authorities."""
    own = [policy for policy in policies if policy.store == "aws"]
    paths = [*(policy.ref.path for policy in own), *named(own)]
    return sorted({names.arn("secretsmanager", f"secret:{_folder(path)}") for path in paths})


def _folder(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"{folder}/*" if folder else f"{name}{_SUFFIX}"
