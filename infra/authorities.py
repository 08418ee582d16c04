"""Where Keyturn's own credentials lie: the paths that policies name, each once.

A credential type that acts as the function itself, or on nothing at all, has none: its policy says `authority=""`, and
no shell, no right to read one is declared for it. Not here: whether a type needs one (`policy_rules.places`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rotation.policy import Policy


def named(policies: Iterable[Policy], more: Sequence[str] = ()) -> list[str]:
    """The paths in order, those of `more` among them."""
    return sorted({path for path in (*(policy.target.authority for policy in policies), *more) if path})
