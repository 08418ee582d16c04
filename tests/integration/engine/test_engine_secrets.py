"""Secrets of the program: given to handlers, told apart between runs, and found nowhere in what is kept or said."""

from __future__ import annotations

from typing import Any

import pytest
from engine_cloud import Things
from engine_project import Project, ops

from sandbox.engine import EngineError, ProgramFailed

MARKER = "marker-7f3a-of-a-secret"
OTHER = "marker-91bc-of-another"
PROGRAM = """
secret = config.require_secret("pw")
a = Thing("a", password=secret, deep=[{"env": {"PW": secret}}], url=secret.apply(lambda s: f"db://u:{s}@h"))
Thing("b", up=a.arn)
pulumi.export("pw", secret)
pulumi.export("arn", a.arn)
"""


@pytest.fixture
def secretive(project: Project) -> Project:
    project.config = {"pw": MARKER}
    project.secret_config = frozenset({"pw"})
    return project.write(PROGRAM)


def kept(project: Project) -> str:
    """Everything that lies in the state's folder."""
    return "".join(path.read_text() for path in project.state.parent.iterdir())


def test_handlers_get_secrets_unwrapped_at_any_depth(secretive: Project) -> None:
    secretive.apply()
    assert secretive.cloud.there["a"] == {
        "password": MARKER,
        "deep": [{"env": {"PW": MARKER}}],
        "url": f"db://u:{MARKER}@h",
    }


def test_a_secret_is_never_in_the_state_nor_in_the_result(secretive: Project) -> None:
    result = secretive.apply()
    assert MARKER not in kept(secretive)
    assert MARKER not in repr(result)
    assert result.outputs == {"pw": "[secret]", "arn": "arn:a"}
    assert next(r for r in result.resources if r.name == "a").inputs["password"] == "[secret]"
    assert MARKER not in repr(secretive.preview())


def test_an_unchanged_secret_is_no_change_and_a_changed_one_is(secretive: Project) -> None:
    secretive.apply()
    assert ops(secretive.apply()) == {"a": "same", "b": "same"}
    secretive.config = {"pw": OTHER}
    assert ops(secretive.apply()) == {"a": "update", "b": "same"}
    assert secretive.cloud.there["a"]["password"] == OTHER
    assert MARKER not in kept(secretive)
    assert OTHER not in kept(secretive)


def test_two_stacks_keep_different_hashes_of_one_secret(secretive: Project) -> None:
    secretive.apply()
    secretive.apply(stack="twin")
    digests = [
        entry["inputs"]["password"]["digest"]
        for stack in ("dev", "twin")
        for entry in __import__("json").loads(secretive.state.with_name(f"{stack}.json").read_text())["resources"]
        if entry["name"] == "a"
    ]
    assert len(set(digests)) == 2


def test_configuration_marked_secret_is_sealed_even_where_the_program_forgot(project: Project) -> None:
    project.config = {"pw": MARKER}
    project.secret_config = frozenset({"pw"})
    project.write('import os\nThing("a", note="is " + pulumi.runtime.config.CONFIG.get()["shop:pw"])').apply()
    assert project.cloud.there["a"] == {"note": f"is {MARKER}"}
    assert MARKER not in kept(project)


def test_a_value_that_a_handler_derives_from_a_secret_is_sealed_too(secretive: Project) -> None:
    class Deriving(Things):
        def create(self, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
            id_, outputs = super().create(name, inputs)
            return id_, {**outputs, "dsn": f"dsn-{inputs.get('password')}"}

    secretive.cloud = Deriving()
    secretive.apply()
    assert MARKER not in kept(secretive)


def test_a_secret_output_of_an_unchanged_resource_still_reaches_the_program(project: Project) -> None:
    program = """
a = Thing("a", opts=pulumi.ResourceOptions(additional_secret_outputs=["arn"]))
Thing("b", up=a.arn, size={})
"""
    project.write(program.format(1)).apply()
    assert "arn:a" not in kept(project)
    project.write(program.format(2)).apply()
    assert project.cloud.there["b"] == {"up": "arn:a", "size": 2}
    assert "arn:a" not in kept(project)


def test_deleting_gets_the_outputs_without_the_secret_ones(secretive: Project) -> None:
    secretive.apply()
    secretive.destroy()
    assert secretive.cloud.seen_by_delete["a"] == {"arn": "arn:a"}


def test_a_secret_is_not_in_the_message_of_a_program_that_fails(secretive: Project) -> None:
    secretive.write(PROGRAM + 'raise RuntimeError(pulumi.runtime.config.CONFIG.get()["shop:pw"])')
    with pytest.raises(ProgramFailed, match=r"RuntimeError: \[secret\]") as caught:
        secretive.apply()
    assert MARKER not in str(caught.value)


def test_a_secret_is_not_in_the_message_of_a_handler_that_fails(secretive: Project) -> None:
    class Talking(Things):
        def create(self, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
            raise ValueError(f"cannot take {inputs['password']}")

    secretive.cloud = Talking()
    with pytest.raises(EngineError, match=r"cannot take \[secret\]") as caught:
        secretive.apply()
    # the chain would print it
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_warnings_come_back_without_the_secret(secretive: Project) -> None:
    secretive.write(PROGRAM + 'pulumi.log.warn("using " + pulumi.runtime.config.CONFIG.get()["shop:pw"])')
    assert secretive.apply().messages == ("using [secret]",)
