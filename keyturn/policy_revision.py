"""The policies of a git revision, or of the files at hand, as documents.

A revision is unpacked into a temporary folder and imported there by another process with a time limit: policies are
programs, and those of a revision are trusted as much as a checkout of it is. So is git itself; nothing of the checkout
is changed. Not here: what differs (`policy_diff`), and whether policies are right (`policy_lint`).
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from keyturn import policy_dump
from keyturn.stack import ROOT
from policy_rules.rule import file_of
from policy_rules.types import mistyped_document
from rotation.errors import Refused

# Importing a few dataclasses takes a tenth of a second; a file that takes this long hangs.
TIME_LIMIT_S = 30.0
# What a policy file may import.
_PACKAGES = ("policies", "rotation")


def documents(revision: str, root: Path = ROOT) -> list[dict[str, Any]]:
    """The policies of `revision`, of the files at hand where it is empty.

    Raises:
        Refused: `unknown_revision` for one that git does not know or that holds no policies; `bad_policies` for files
            that cannot be imported.
    """
    if not revision:
        return _dumped(root, "the files at hand")
    commit = _commit(revision, root)
    with tempfile.TemporaryDirectory(prefix="keyturn-policies-") as folder:
        _unpack(commit, revision, root, Path(folder))
        return _dumped(Path(folder), revision)


def _commit(revision: str, root: Path) -> str:
    # a revision that looks like an option is none
    asked = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    done = _git(asked, root)
    if done.returncode:
        raise Refused("unknown_revision", f"git knows no revision `{revision}` here", "see `git log --oneline`")
    return done.stdout.decode().strip()


def _unpack(commit: str, revision: str, root: Path, folder: Path) -> None:
    done = _git(["archive", "--format=tar", commit, "--", *_PACKAGES], root)
    if done.returncode:
        raise Refused("unknown_revision", f"the revision {revision} holds no policies", "name one that has `policies/`")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as packed:
        packed.extractall(folder, filter="data")


def _git(arguments: list[str], root: Path) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603  # arguments are ours, and a revision behind --end-of-options
            ["git", "-C", str(root), *arguments],  # noqa: S607  # the user's git
            capture_output=True,
            timeout=TIME_LIMIT_S,
            check=False,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        raise Refused("unknown_revision", "git is not there, or does not answer", "install git and repeat") from None


def _dumped(folder: Path, called: str) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="keyturn-policies-") as place:
        output = Path(place) / "documents.json"
        program = [sys.executable, "-I", "-B", policy_dump.__file__, str(folder), str(output)]
        # nothing of the environment: a policy reads none
        environment = {"PATH": os.defpath}
        try:
            subprocess.run(program, env=environment, capture_output=True, timeout=TIME_LIMIT_S, check=True)  # noqa: S603  # as said above
            found = json.loads(output.read_text(encoding="utf-8"))
        except subprocess.TimeoutExpired:
            found = {"wrong": f"they take longer than {TIME_LIMIT_S:.0f} s to import"}
        except (subprocess.CalledProcessError, OSError, ValueError):
            found = {"wrong": "they end the interpreter that imports them"}
    if "wrong" in found:
        raise _wrong(called, [found["wrong"]])
    policies = list(found["policies"])
    if offences := [line for policy in policies for line in _mistyped(policy)]:
        raise _wrong(called, offences)
    return policies


def _mistyped(document: dict[str, Any]) -> list[str]:
    name = str(document["name"])
    found = mistyped_document(document)
    return [f"{file_of(name)}: policy {name}, {field}: {problem}: {remedy}" for field, problem, remedy in found]


def _wrong(called: str, offences: list[str]) -> Refused:
    return Refused("bad_policies", "\n  ".join([f"policies of {called} are wrong:", *offences]), "correct policies/")
