"""What applying a program does to the cloud, to the state and to the program itself."""

from __future__ import annotations

import stat
import threading
from typing import Any

import pytest
from engine_cloud import Things
from engine_project import Project, ops

from sandbox.engine import UNKNOWN, EngineError

TWO = """
a = Thing("a", size=1)
b = Thing("b", up=a.arn)
pulumi.export("up", b.arn)
"""


def test_a_second_apply_changes_nothing_and_gives_the_same_outputs(project: Project) -> None:
    first = project.write(TWO).apply()
    assert ops(first) == {"a": "create", "b": "create"}
    assert first.outputs == {"up": "arn:b"}
    before = project.document()
    second = project.apply()
    assert ops(second) == {"a": "same", "b": "same"}
    assert second.outputs == first.outputs
    assert project.cloud.log == ["create a", "create b"]
    assert project.document() == before


def test_outputs_of_one_resource_reach_the_inputs_of_the_next(project: Project) -> None:
    project.write(TWO).apply()
    assert project.cloud.there["b"] == {"up": "arn:a"}


def test_a_changed_input_is_an_update_of_that_resource_only(project: Project) -> None:
    project.write(TWO).apply()
    result = project.write(TWO.replace("size=1", "size=2")).apply()
    assert ops(result) == {"a": "update", "b": "same"}
    assert project.cloud.log[2:] == ["update a"]
    assert project.cloud.there["a"] == {"size": 2}


def test_whole_numbers_arrive_as_integers_and_nested_values_whole(project: Project) -> None:
    project.write('Thing("a", size=3, ratio=0.5, rules=[{"ports": [80, 443], "on": True}])').apply()
    there = project.cloud.there["a"]
    assert there == {"size": 3, "ratio": 0.5, "rules": [{"ports": [80, 443], "on": True}]}
    assert isinstance(there["size"], int)


def test_an_ignored_property_keeps_what_was_applied_before(project: Project) -> None:
    program = """
kept = pulumi.ResourceOptions(ignore_changes=["size", "nested.x"])
Thing("a", size={}, nested={{"x": {}, "y": {}}}, opts=kept)
"""
    project.write(program.format(1, 1, 1)).apply()
    assert ops(project.write(program.format(2, 2, 1)).apply()) == {"a": "same"}
    assert ops(project.write(program.format(2, 2, 5)).apply()) == {"a": "update"}
    assert project.cloud.there["a"] == {"size": 1, "nested": {"x": 1, "y": 5}}


def test_files_are_compared_by_content_and_not_by_path(project: Project) -> None:
    for name in ("one.txt", "two.txt"):
        (project.folder / name).write_text("same")
    program = 'Thing("a", code=pulumi.FileAsset("{}"), zip=pulumi.AssetArchive({{"f": pulumi.StringAsset("x")}}))'
    project.write(program.format("one.txt")).apply()
    assert project.cloud.there["a"]["code"].path == str(project.folder / "one.txt")
    assert ops(project.write(program.format("two.txt")).apply()) == {"a": "same"}
    (project.folder / "two.txt").write_text("changed")
    assert ops(project.apply()) == {"a": "update"}


def test_a_missing_file_is_named(project: Project) -> None:
    project.write('Thing("a", code=pulumi.FileArchive("gone.zip"))')
    with pytest.raises(EngineError, match=r"gone\.zip") as caught:
        project.apply()
    assert caught.value.reason == "asset_missing"


def test_independent_resources_are_made_side_by_side(project: Project) -> None:
    class Meeting(Things):
        # each create waits until all four are under way at once; a serial engine breaks the barrier
        barrier = threading.Barrier(4, timeout=20)

        def create(self, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
            self.barrier.wait()
            return super().create(name, inputs)

    project.cloud = Meeting()
    result = project.write('for n in range(4): Thing(f"t{n}")').apply()
    assert ops(result) == dict.fromkeys(["t0", "t1", "t2", "t3"], "create")


def test_a_hundred_and_fifty_resources_are_all_recorded(project: Project) -> None:
    result = project.write('for n in range(150): Thing(f"t{n}", size=n)').apply()
    assert len(result.ops) == 150
    assert {entry["id"] for entry in project.document()["resources"]} == {f"t{n}" for n in range(150)}


def test_every_step_is_told_once_with_its_operation(project: Project) -> None:
    project.write(TWO).apply()
    assert [(step.op, step.name, step.type) for step in project.steps] == [
        ("create", "a", "test:index:Thing"),
        ("create", "b", "test:index:Thing"),
    ]
    assert all(step.seconds >= 0 for step in project.steps)


def test_the_state_file_is_for_its_owner_only(project: Project) -> None:
    project.write(TWO).apply()
    assert stat.S_IMODE(project.state.stat().st_mode) == 0o600


def test_configuration_reaches_the_program_with_and_without_a_namespace(project: Project) -> None:
    project.config = {"size": "7", "aws:region": "us-east-1"}
    project.write('Thing("a", size=config.require_int("size"), region=pulumi.Config("aws").require("region"))').apply()
    assert project.cloud.there["a"] == {"size": 7, "region": "us-east-1"}


def test_invokes_are_answered_and_an_unknown_one_is_named(project: Project) -> None:
    project.invokes["test:index:lookup"] = lambda arguments: {"answer": arguments["n"] + 1}
    body = """
found = pulumi.runtime.invoke("test:index:{}", {{"n": 1}})
Thing("a", size=found.value["answer"])
"""
    project.write(body.format("lookup")).apply()
    assert project.cloud.there["a"] == {"size": 2}
    with pytest.raises(EngineError, match="test:index:nothing") as caught:
        project.write(body.format("nothing")).apply()
    assert caught.value.reason == "unknown_invoke"
    assert caught.value.remedy


def test_an_existing_resource_is_read_and_an_absent_one_is_refused(project: Project) -> None:
    project.cloud.there["old"] = {"size": 9}
    body = """
found = Thing("seen", size=None, opts=pulumi.ResourceOptions(id="{}"))
Thing("a", size=found.size, up=found.arn)
"""
    result = project.write(body.format("old")).apply()
    assert project.cloud.there["a"] == {"size": 9, "up": "arn:old"}
    assert ops(result) == {"a": "create"}
    with pytest.raises(EngineError, match="test:index:Thing gone does not exist"):
        project.write(body.format("gone")).apply()


def test_another_stack_is_referred_to_by_its_outputs(project: Project) -> None:
    project.write(TWO).apply(stack="base")
    project.write("""
base = pulumi.StackReference("organization/shop/base")
Thing("c", up=base.require_output("up"))
""").apply()
    assert project.cloud.there["c"] == {"up": "arn:b"}
    with pytest.raises(EngineError, match="elsewhere"):
        project.write('pulumi.StackReference("elsewhere")').apply()


def test_a_preview_has_no_effect_and_tells_what_would_happen(project: Project) -> None:
    project.write(TWO).apply()
    before = (project.state.read_bytes(), list(project.cloud.log), dict(project.cloud.there))
    changed = 'Thing("a", size=2)\nc = Thing("c", kind="x")\npulumi.export("c", c.arn)'
    result = project.write(changed).preview()
    assert ops(result) == {"a": "update", "b": "delete", "c": "create"}
    assert result.outputs == {"c": UNKNOWN}
    assert (project.state.read_bytes(), project.cloud.log, project.cloud.there) == before


def test_a_preview_of_a_new_stack_leaves_no_file_behind(project: Project) -> None:
    result = project.write(TWO).preview()
    assert ops(result) == {"a": "create", "b": "create"}
    assert project.cloud.log == []
    assert not project.state.exists()
    by_name = {recorded.name: recorded for recorded in result.resources}
    assert by_name["b"].inputs == {"up": UNKNOWN}
    assert by_name["a"].inputs == {"size": 1}
    assert by_name["a"].type == "test:index:Thing"


def test_options_that_were_set_are_recorded(project: Project) -> None:
    result = project.write("""
a = Thing("a")
Thing("b", opts=pulumi.ResourceOptions(protect=True, depends_on=[a], ignore_changes=["size"], retain_on_delete=True))
""").preview()
    a, b = result.resources
    assert a.options == {}
    assert b.options == {"protect": True, "retainOnDelete": True, "ignoreChanges": ["size"], "dependencies": [a.urn]}


def test_warnings_of_the_program_come_back(project: Project) -> None:
    result = project.write('Thing("a")\npulumi.log.warn("mind the gap")\npulumi.log.info("not this")').apply()
    assert result.messages == ("mind the gap",)
