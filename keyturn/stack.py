"""Which stack is meant, and where it is: facts of `Pulumi.<stack>.yaml`, on `local` those of the running sandbox.

Reads the file without pulumi, which takes longer to import than a verb to run; the keys and their readers are the
program's own (`infra.config_keys`). Only what the command needs is checked here, the whole by `validate-env`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.config_keys import KEYS, Key
from rotation.errors import Refused
from sandbox.facts import Facts
from sandbox.layout import Layout

PROJECT = "keyturn"
LOCAL = "local"
# The alias of the functions that callers use; `infra.names` has it too, behind an import of pulumi.
LIVE = "live"
ROOT = Path(__file__).resolve().parents[1]
# Read by the program beside the table of keys: where the facts of the sandbox lie.
_EXTRA_KEYS = ("sandboxFacts",)


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Where one stack is. `endpoint` is empty for the real AWS; then its default chain gives the credentials."""

    name: str
    account: str
    region: str
    prefix: str
    endpoint: str = ""

    @property
    def local(self) -> bool:
        """Whether it lives in the sandbox."""
        return self.name == LOCAL

    def function(self, kind: str) -> str:
        """The name of a function, e.g. `keyturn-prod-control`."""
        return f"{self.prefix}-{self.name}-{kind}"


def stacks(root: Path = ROOT) -> list[str]:
    """The names of the stacks, `local` first."""
    names = [path.name.split(".")[1] for path in root.glob("Pulumi.*.yaml")]
    return sorted(names, key=lambda name: (name != LOCAL, name))


def load(name: str, root: Path = ROOT) -> Stack:
    """The stack called `name`.

    Raises:
        Refused: `unknown_stack`, or `bad_configuration` with every problem of the keys that are read here.
        SandboxError: `sandbox_not_up` or `sandbox_damaged` on `local`.
    """
    read = _read(texts(name, root), name)
    stack = Stack(name=name, account=read["awsAccount"], region=read["region"], prefix=read["namePrefix"])
    if not stack.local:
        return stack
    facts = Facts.load(Layout.from_env().facts)
    return Stack(
        name=name,
        account=facts.aws_account_id,
        region=facts.aws_region,
        prefix=stack.prefix,
        endpoint=facts.aws_endpoint,
    )


def texts(name: str, root: Path = ROOT) -> dict[str, str]:
    """Every configured key without the project's prefix, as text; Refused `unknown_stack`, `bad_configuration`."""
    import yaml  # noqa: PLC0415  # not needed for the help

    path = root / f"Pulumi.{name}.yaml"
    if name not in stacks(root):
        known = ", ".join(stacks(root))
        raise Refused("unknown_stack", f"there is no stack `{name}`", f"the stacks are {known}: name one with --stack")
    try:
        configured = yaml.safe_load(path.read_text(encoding="utf-8"))["config"]
        items = {str(key): value for key, value in configured.items()}
    except (yaml.YAMLError, KeyError, TypeError, AttributeError):
        raise Refused(
            "bad_configuration", f"{path.name} cannot be read as a stack's configuration", "correct it and repeat"
        ) from None
    prefix = f"{PROJECT}:"
    return {key.removeprefix(prefix): _text(value) for key, value in items.items() if key.startswith(prefix)}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _read(configured: Mapping[str, str], name: str) -> dict[str, str]:
    problems = _unknown(configured)
    for key in KEYS:
        if key.name not in configured and not key.local_only:
            problems.append(f"`{PROJECT}:{key.name}` is missing")
        elif key.name in configured:
            problems += _wrong(key, configured[key.name])
    if problems:
        listed = "\n  ".join([f"Pulumi.{name}.yaml is wrong:", *problems])
        raise Refused("bad_configuration", listed, "correct it and repeat")
    return dict(configured)


def _wrong(key: Key, text: str) -> list[str]:
    try:
        key.read(text)
    except ValueError as exc:
        return [f"`{PROJECT}:{key.name}` has to be {exc}"]
    return []


def _unknown(configured: Mapping[str, str]) -> list[str]:
    known = [*(key.name for key in KEYS), *_EXTRA_KEYS]
    problems = []
    for name in configured:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean `{PROJECT}:{near[0]}`?" if near else "remove it"
            problems.append(f"`{PROJECT}:{name}` is not a key of this program: {hint}")
    return problems
