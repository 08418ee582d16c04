"""How each store writes the place of a secret: what a policy's `path` may look like, said before the store says it.

Sources: botocore's model of CreateSecret, Google Secret Manager's resource names, the KV v2 API. Each check takes a
path and returns what is wrong with it and the remedy, or None. Not here: whether anything lies there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

# What is wrong, and what to do.
Flaw = tuple[str, str]

# CreateSecret's limit for a name.
LONGEST_AWS = 512
# Secret Manager's limit for a secret's id.
LONGEST_GOOGLE = 255
# Where the Vault adapter keeps candidates: a secret there would be overwritten by its neighbour's rotation.
VAULT_PENDING = "pending"


def _aws(path: str) -> Flaw | None:
    if len(path) > LONGEST_AWS:
        return f"is longer than {LONGEST_AWS} characters", "shorten the name"
    if not re.fullmatch(r"[A-Za-z0-9/_+=.@-]+", path):
        return "is not a secret's name", "use letters, digits and /_+=.@- only; not an ARN"
    return None


def _google(path: str) -> Flaw | None:
    found = re.fullmatch(r"projects/[^/]+/secrets/([^/]*)", path)
    if not found:
        return "is not a secret of a project", "write the secret's id alone; the stack adds its project"
    if not re.fullmatch(r"[A-Za-z0-9_-]+", found[1]) or len(found[1]) > LONGEST_GOOGLE:
        return "has not the id of a secret", f"use 1 to {LONGEST_GOOGLE} letters, digits, hyphens and underscores"
    return None


def _vault(path: str) -> Flaw | None:
    mount, _, rest = path.partition("/")
    if not mount or not rest:
        return "has no mount or nothing behind it", "write it as mount/path"
    # narrower than Vault: the path goes into a Vault policy, where + and * stand for other paths
    if not all(re.fullmatch(r"(?!\.+$)[A-Za-z0-9_.@=~-]+", segment) for segment in path.split("/")):
        return "is not a plain path", "use letters, digits and _.@=~- between single slashes"
    first = rest.partition("/")[0]
    if first in ("data", "metadata"):
        return f"names the API's `{first}/`", f"leave out `{first}/`: the adapter puts it in"
    if first == VAULT_PENDING:
        return f"lies below `{VAULT_PENDING}/`, where candidates wait", "choose another path in the mount"
    return None


PLACES: Mapping[str, Callable[[str], Flaw | None]] = {"aws": _aws, "gcp": _google, "vault": _vault}
