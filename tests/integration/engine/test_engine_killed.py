"""An engine that is killed in the middle of an apply: what was made is known or adopted, and nothing is made twice."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from engine_cloud import TYPE, ThingsOnDisk
from engine_project import Project, ops

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
# an engine in a process of its own, killed by signal 9 right after `fatal` was made and before its answer is kept
ENGINE = """
import os, signal, sys
from pathlib import Path
from engine_cloud import TYPE, ThingsOnDisk
from sandbox.engine import apply

folder, state, cloud, fatal = sys.argv[1:]
invokes = {"test:index:kill": lambda arguments: os.kill(os.getpid(), signal.SIGKILL)}
apply(Path(folder), "shop", "dev", Path(state), {}, {TYPE: ThingsOnDisk(Path(cloud), fatal)}, invokes)
"""
CHAIN = """
import os, pathlib
pathlib.Path("pid").write_text(str(os.getpid()))
before = None
for name in "abcde":
    before = Thing(name, up=before.arn if before else "")
pulumi.export("last", before.arn)
"""
# asks the engine to die, is told of it by a lost connection, and would wait for ever
STUBBORN = """
import contextlib, os, pathlib, threading
pathlib.Path("pid").write_text(str(os.getpid()))
with contextlib.suppress(Exception):
    pulumi.runtime.invoke("test:index:kill", {})
threading.Event().wait()
"""
# generous: the wait ends with the event, this only bounds a hang
LIMIT_MS = 30_000


@pytest.fixture
def cloud(tmp_path: Path) -> Path:
    folder = tmp_path / "cloud"
    folder.mkdir()
    return folder


def killed_apply(project: Project, cloud: Path, fatal: str) -> None:
    """Apply in a process that ends by signal 9 once `fatal` exists."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}
    command = [sys.executable, "-c", ENGINE, str(project.folder), str(project.state), str(cloud), fatal]
    # our own interpreter and the script above
    done = subprocess.run(command, env=environment, check=False, capture_output=True, timeout=120)  # noqa: S603
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def wait_for_end(pid: int) -> None:
    """Block until the process is gone; fail when it is not."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    ended = poll.poll(LIMIT_MS)
    os.close(descriptor)
    assert ended, "the program outlived its engine"


def test_a_killed_apply_resumes_where_it_was_and_makes_nothing_twice(project: Project, cloud: Path) -> None:
    project.write(CHAIN)
    killed_apply(project, cloud, "c")
    assert sorted(path.name for path in cloud.iterdir()) == ["a", "b", "c"]
    assert [entry["name"] for entry in project.document()["resources"]] == ["a", "b"]
    project.cloud = ThingsOnDisk(cloud)
    result = project.apply()
    assert ops(result) == {"a": "same", "b": "same", "c": "create", "d": "create", "e": "create"}
    assert project.cloud.log == ["adopt c", "create d", "create e"]
    assert result.outputs == {"last": "arn:e"}
    assert ops(project.apply()) == dict.fromkeys("abcde", "same")


def test_an_apply_killed_again_and_again_still_converges(project: Project, cloud: Path) -> None:
    project.write(CHAIN)
    for fatal in "bd":
        killed_apply(project, cloud, fatal)
    project.cloud = ThingsOnDisk(cloud)
    project.apply()
    assert project.cloud.log == ["adopt d", "create e"]


def test_the_program_ends_when_its_engine_is_killed(project: Project, cloud: Path) -> None:
    project.write(STUBBORN)
    killed_apply(project, cloud, "")
    wait_for_end(int((project.folder / "pid").read_text()))


def test_a_replacement_killed_before_the_old_one_is_deleted_deletes_it_in_the_next_run(
    project: Project, cloud: Path
) -> None:
    class Stopped(Exception):
        pass

    project.write('Thing("a", name="first")').apply()
    forever = project.cloud.delete

    def die(id_: str, outputs: dict[str, object]) -> None:
        raise Stopped

    project.cloud.delete = die
    with pytest.raises(Exception, match="Stopped"):
        project.write('Thing("a", name="second")').apply()
    assert [entry["id"] for entry in project.document()["replaced"]] == ["first"]
    project.cloud.delete = forever
    assert ops(project.apply()) == {"a": "same"}
    assert list(project.cloud.there) == ["second"]
    assert project.document()["replaced"] == []


def test_going_back_before_the_old_one_was_deleted_keeps_it(project: Project) -> None:
    project.write('Thing("a", name="first")').apply()
    kept = project.cloud.delete
    project.cloud.delete = lambda id_, outputs: (_ for _ in ()).throw(OSError("busy"))
    with pytest.raises(Exception, match="busy"):
        project.write('Thing("a", name="second")').apply()
    project.cloud.delete = kept
    project.write('Thing("a", name="first")').apply()
    assert list(project.cloud.there) == ["first"]
    assert TYPE in project.state.read_text()
