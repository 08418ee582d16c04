"""What a secret may be called and carry: id, labels, annotations, aliases. Each check refuses with INVALID_ARGUMENT.

Source of every rule unless said otherwise: the field comments of `google.cloud.secretmanager_v1.types.Secret` and
`CreateSecretRequest`. Topics, rotation and destruction delay are in `schedule_checks.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from sandbox.google.refusals import invalid

# Secret Manager quotas page, 'Content limits'.
MAX_ALIASES = 50
# "The total size of annotation keys and values must be less than 16KiB": the bound itself is refused.
ANNOTATIONS_BYTES = 16 * 1024
# "No more than 64 labels can be assigned to a given resource."
MAX_LABELS = 64
# Keys and label values: at most 63 characters and 128 bytes of UTF-8.
_TEXT_CHARS = 63
_TEXT_BYTES = 128

_SECRET_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_ANNOTATION_KEY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_RESERVED_ALIASES = frozenset({"latest", "NEW"})
# PCRE classes of the documented label pattern: lower-case letters, letters without case, numbers.
_LABEL_START = ("Ll", "Lo")
_LABEL_REST = (*_LABEL_START, "Nd", "Nl", "No")


def check_secret_id(secret_id: str) -> None:
    """Letters, digits, `-` and `_`, 1 to 255 characters (`CreateSecretRequest.secret_id`)."""
    if _SECRET_ID.fullmatch(secret_id) is None:
        raise invalid(f"Secret ID [{secret_id}] must match [A-Za-z0-9_-]{{1,255}}.")


def check_labels(labels: Mapping[str, str]) -> None:
    """At most 64; keys start with a letter, lower case only; values up to 63 characters (`Secret.labels`)."""
    if len(labels) > MAX_LABELS:
        raise invalid(f"A secret carries at most {MAX_LABELS} labels, not {len(labels)}.")
    for key, value in labels.items():
        if not (key and _fits(key) and unicodedata.category(key[0]) in _LABEL_START and _label_text(key)):
            raise invalid(f"Label key [{key}] is not valid.")
        if not (_fits(value) and _label_text(value)):
            raise invalid(f"The value of label [{key}] is not valid.")


def _fits(text: str) -> bool:
    return len(text) <= _TEXT_CHARS and len(text.encode()) <= _TEXT_BYTES


def _label_text(text: str) -> bool:
    return all(char in "_-" or unicodedata.category(char) in _LABEL_REST for char in text)


def check_annotations(annotations: Mapping[str, str]) -> None:
    """Keys begin and end alphanumeric, 1 to 63 characters; all keys and values below 16 KiB (`Secret.annotations`)."""
    for key in annotations:
        if _ANNOTATION_KEY.fullmatch(key) is None:
            raise invalid(f"Annotation key [{key}] is not valid.")
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size >= ANNOTATIONS_BYTES:
        raise invalid(f"Annotations take {size} bytes; they must be less than {ANNOTATIONS_BYTES}.")


def check_aliases(aliases: Mapping[str, int], newest: int) -> None:
    """Name rules, at most 50, and every alias points to an existing version (`Secret.version_aliases`).

    Args:
        aliases: alias to version number, the whole map.
        newest: number of the newest version, 0 when there is none; numbers start at 1 without gaps.
    """
    if len(aliases) > MAX_ALIASES:
        raise invalid(f"A secret carries at most {MAX_ALIASES} version aliases, not {len(aliases)}.")
    for alias, number in aliases.items():
        if _ALIAS.fullmatch(alias) is None or alias in _RESERVED_ALIASES:
            raise invalid(f"Version alias [{alias}] is not valid.")
        if not 1 <= number <= newest:
            raise invalid(f"Version alias [{alias}] points to version {number}, which does not exist.")
