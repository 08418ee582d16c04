"""The dependencies of one function as a zip: installed from its lock, pruned, compiled, kept until the lock changes.

The kept zip is named by a digest of all that its bytes depend on: the lock, the interpreter and this package.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from artefacts import bytecode
from artefacts.pruning import kept
from artefacts.table import Function
from artefacts.zips import write_zip
from rotation.errors import Refused, Unavailable

# The python3.11 runtime is Amazon Linux 2 with glibc 2.26: wheels for manylinux_2_28 install, and fail there on import.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
_PLATFORM = "x86_64-manylinux2014"
# A download of 40 MB on a slow line.
_INSTALL_TIMEOUT_S = 600
# Enough of a SHA-256 to never meet the same name twice.
_DIGEST_CHARS = 20


def bundle(function: Function, root: Path, cache: Path) -> Path:
    """The zip of `function`'s dependencies in `cache`, made if it is not there.

    Refused `lock_missing`, `uv_missing`; Unavailable `dependencies_unavailable` when the lock cannot be installed.
    """
    lock = root / function.lock
    if not lock.is_file():
        raise Refused("lock_missing", f"{function.lock} is not there", "compile it from the .in file beside it")
    path = cache / f"{function.name}-{_digest(lock)}.zip"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=cache) as site:
            _install(lock, Path(site))
            write_zip(path, _members(function, Path(site)))
    return path


def _digest(lock: Path) -> str:
    digest = hashlib.sha256(f"{sys.version} {bytecode.is_possible()}".encode())
    for source in [lock, *sorted(Path(__file__).parent.glob("*.py"))]:
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()[:_DIGEST_CHARS]


def _install(lock: Path, site: Path) -> None:
    uv = Path(sys.prefix) / "bin" / "uv"
    if not uv.is_file():
        raise Refused("uv_missing", "this environment has no uv", "run `make env` and use its interpreter")
    version = ".".join(str(part) for part in bytecode.RUNTIME)
    command = [
        str(uv),
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--no-compile-bytecode",
    ]
    where = [
        "--python",
        sys.executable,
        "--target",
        str(site),
        "--python-platform",
        _PLATFORM,
        "--python-version",
        version,
    ]
    done = subprocess.run(  # noqa: S603 - uv of this environment, with constant arguments
        [*command, *where, "--requirements", str(lock)],
        capture_output=True,
        text=True,
        timeout=_INSTALL_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise Unavailable("dependencies_unavailable", f"{lock.name} cannot be installed: {done.stderr.strip()}")


def _members(function: Function, site: Path) -> dict[str, bytes]:
    installed = [path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()]
    names = kept(installed, function.all_services)
    members = {name: (site / name).read_bytes() for name in names}
    return members | bytecode.compile_files(site, names) if bytecode.is_possible() else members
