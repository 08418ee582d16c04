"""Replacement in both orders, removal in order, and what is never removed."""

from __future__ import annotations

from typing import Any

import pytest
from engine_project import Project, ops

from sandbox.engine import EngineError, ProgramFailed


def test_a_replacement_with_a_new_name_makes_the_new_before_it_deletes_the_old(project: Project) -> None:
    program = 'a = Thing("a", name="{}")\nThing("b", up=a.arn)'
    project.write(program.format("first")).apply()
    result = project.write(program.format("second")).apply()
    assert ops(result) == {"a": "replace", "b": "update"}
    assert project.cloud.log[2:] == ["create second", "update b", "delete first"]
    assert project.document()["replaced"] == []


def test_a_replacement_asked_to_delete_first_does(project: Project) -> None:
    program = 'Thing("a", name="{}", opts=pulumi.ResourceOptions(delete_before_replace=True))'
    project.write(program.format("first")).apply()
    project.write(program.format("second")).apply()
    assert project.cloud.log[1:] == ["delete first", "create second"]


def test_a_replacement_under_the_same_name_deletes_the_old_and_never_the_new(project: Project) -> None:
    program = 'Thing("a", kind="{}")'
    project.write(program.format("x")).apply()
    assert ops(project.write(program.format("y")).apply()) == {"a": "replace"}
    assert project.cloud.there == {"a": {"kind": "y"}}
    assert project.cloud.log[-2:] == ["delete a", "create a"]
    assert ops(project.apply()) == {"a": "same"}


def test_dependants_that_cannot_change_in_place_go_before_and_come_back_after(project: Project) -> None:
    program = 'a = Thing("a", kind="{}")\nThing("b", owner=a.arn)\nThing("c", up=a.arn)'
    project.write(program.format("x")).apply()
    result = project.write(program.format("y")).apply()
    assert ops(result) == {"a": "replace", "b": "replace", "c": "same"}
    effects = [line for line in project.cloud.log[3:] if line.split()[0] != "adopt"]
    assert effects == ["delete b", "delete a", "create a", "create b"]


def test_replace_on_changes_replaces_for_an_input_that_could_be_updated(project: Project) -> None:
    program = 'Thing("a", size={}, opts=pulumi.ResourceOptions(replace_on_changes=["size"]))'
    project.write(program.format(1)).apply()
    assert ops(project.write(program.format(2)).apply()) == {"a": "replace"}


def test_what_is_no_longer_declared_is_deleted_dependants_first(project: Project) -> None:
    project.write("""
base = Thing("base")
group = Group("group")
middle = Thing("middle", up=base.arn, opts=pulumi.ResourceOptions(parent=group))
Thing("top", opts=pulumi.ResourceOptions(depends_on=[middle]))
Thing("kept")
""").apply()
    project.cloud.log.clear()
    result = project.write('Thing("kept")').apply()
    assert ops(result) == {"kept": "same", "top": "delete", "middle": "delete", "group": "delete", "base": "delete"}
    assert project.cloud.log == ["delete top", "delete middle", "delete base"]
    assert [entry["name"] for entry in project.document()["resources"]] == ["kept"]


def test_a_resource_needed_by_an_explicit_provider_outlives_it(project: Project) -> None:
    project.write("""
class Provider(pulumi.ProviderResource):
    def __init__(self, name, **props):
        super().__init__("test", name, props)


base = Thing("base")
Thing("user", opts=pulumi.ResourceOptions(provider=Provider("mine", endpoint=base.arn)))
""").apply()
    project.cloud.log.clear()
    assert ops(project.destroy()) == {"user": "delete", "mine": "delete", "base": "delete"}
    assert project.cloud.log == ["delete user", "delete base"]


def test_destroy_deletes_everything_and_leaves_an_empty_state(project: Project) -> None:
    project.write('a = Thing("a")\nThing("b", up=a.arn)\npulumi.export("x", 1)').apply()
    project.cloud.log.clear()
    assert ops(project.destroy()) == {"b": "delete", "a": "delete"}
    assert project.cloud.log == ["delete b", "delete a"]
    assert project.document()["resources"] == []
    assert project.document()["outputs"] == {}
    assert ops(project.destroy()) == {}


@pytest.mark.parametrize(
    "end",
    ["raise RuntimeError('broken')", "import sys; sys.exit(0)", "import sys; sys.exit(1)", "import os; os._exit(0)"],
)
def test_a_program_that_does_not_end_well_deletes_nothing(project: Project, end: str) -> None:
    project.write('Thing("a")\nThing("b")').apply()
    with pytest.raises(ProgramFailed):
        project.write(f'Thing("a")\n{end}').apply()
    assert sorted(project.cloud.there) == ["a", "b"]
    assert len(project.document()["resources"]) == 2


def test_a_program_that_fails_says_why(project: Project) -> None:
    with pytest.raises(ProgramFailed, match="RuntimeError: this is broken"):
        project.write('Thing("a")\nraise RuntimeError("this is broken")').apply()


def test_a_program_that_declares_nothing_is_refused_and_deletes_nothing(project: Project) -> None:
    project.write('Thing("a")').apply()
    with pytest.raises(EngineError) as caught:
        project.write("").apply()
    assert caught.value.reason == "nothing_declared"
    assert list(project.cloud.there) == ["a"]


def test_a_program_that_hangs_is_ended_and_deletes_nothing(project: Project) -> None:
    project.write('Thing("a")\nThing("b")').apply()
    project.timeout_s = 3.0
    with pytest.raises(ProgramFailed) as caught:
        project.write('import threading\nThing("a")\nthreading.Event().wait()').apply()
    assert caught.value.reason == "program_timeout"
    assert sorted(project.cloud.there) == ["a", "b"]


def test_a_resource_that_fails_stops_the_run_and_is_named(project: Project) -> None:
    class Failing(type(project.cloud)):  # type: ignore[misc]  # a subclass of whatever the project uses
        def create(self, name: str, inputs: dict[str, Any]) -> Any:
            if name == "bad":
                raise OSError("disk full")
            return super().create(name, inputs)

    project.write('Thing("a")\nThing("b")').apply()
    project.cloud.__class__ = Failing
    with pytest.raises(EngineError, match=r"Thing::bad: OSError: disk full") as caught:
        project.write('bad = Thing("bad")\nThing("after", up=bad.arn)').apply()
    assert caught.value.reason == "resource_failed"
    assert sorted(project.cloud.there) == ["a", "b"]


@pytest.mark.parametrize(
    "program", ['Thing("other")', 'Thing("a", kind="y", opts=pulumi.ResourceOptions(protect=True))']
)
def test_a_protected_resource_is_neither_removed_nor_replaced(project: Project, program: str) -> None:
    project.write('Thing("a", kind="x", opts=pulumi.ResourceOptions(protect=True))\nThing("b")').apply()
    with pytest.raises(EngineError, match="Thing::a") as caught:
        project.write(program).apply()
    assert caught.value.reason == "protected"
    assert {"a", "b"} <= project.cloud.there.keys()
    assert "delete" not in " ".join(project.cloud.log)


def test_destroy_with_something_protected_deletes_nothing_at_all(project: Project) -> None:
    project.write('Thing("a", opts=pulumi.ResourceOptions(protect=True))\nThing("b")').apply()
    with pytest.raises(EngineError, match="Thing::a"):
        project.destroy()
    assert sorted(project.cloud.there) == ["a", "b"]


def test_lifting_the_protection_allows_removal(project: Project) -> None:
    project.write('Thing("a", opts=pulumi.ResourceOptions(protect=True))\nThing("b")').apply()
    assert ops(project.write('Thing("a")\nThing("b")').apply()) == {"a": "same", "b": "same"}
    assert ops(project.write('Thing("b")').apply()) == {"a": "delete", "b": "same"}


def test_a_retained_resource_is_forgotten_and_stays_in_the_cloud(project: Project) -> None:
    project.write('Thing("a", opts=pulumi.ResourceOptions(retain_on_delete=True))\nThing("b")').apply()
    assert ops(project.write('Thing("b")').apply()) == {"a": "retain", "b": "same"}
    assert sorted(project.cloud.there) == ["a", "b"]
    assert [entry["name"] for entry in project.document()["resources"]] == ["b"]


def test_what_goes_with_its_container_is_not_deleted_by_itself(project: Project) -> None:
    project.write("""
box = Thing("box")
Thing("inside", opts=pulumi.ResourceOptions(deleted_with=box))
Thing("kept")
""").apply()
    project.cloud.log.clear()
    project.write('Thing("kept")').apply()
    assert project.cloud.log == ["delete box"]


def test_an_alias_keeps_the_resource_under_its_new_name(project: Project) -> None:
    project.write('a = Thing("old")\nThing("b", up=a.arn)').apply()
    program = 'a = Thing("new", opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")]))\nThing("b", up=a.arn)'
    assert ops(project.write(program).preview()) == {"new": "same", "b": "same"}
    assert ops(project.write(program).apply()) == {"new": "same", "b": "same"}
    assert project.cloud.log == ["create old", "create b"]
    new, b = sorted(project.document()["resources"], key=lambda entry: entry["name"], reverse=True)
    assert (new["name"], new["id"]) == ("new", "old")
    assert new["urn"] in b["dependencies"]


def test_children_follow_a_component_that_was_renamed_or_moved(project: Project) -> None:
    body = 'g = Group("{}"{})\nThing("{}-thing", size=1, opts=pulumi.ResourceOptions(parent=g))'
    project.write(body.format("old", "", "old")).apply()
    alias = ', opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")])'
    assert ops(project.write(body.format("new", alias, "new")).apply()) == {"new": "same", "new-thing": "same"}
    wrapped = 'top = Group("top", kind="test:index:Top")\n' + body.format(
        "new",
        ", opts=pulumi.ResourceOptions(parent=top, aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)])",
        "new",
    )
    assert ops(project.write(wrapped).apply()) == {"top": "create", "new": "same", "new-thing": "same"}
    assert project.cloud.log == ["create old-thing"]


def test_a_resource_that_only_changed_its_logical_name_is_not_deleted_under_the_old_one(project: Project) -> None:
    project.write('Thing("old", name="physical")').apply()
    assert ops(project.write('Thing("new", name="physical")').apply()) == {"new": "create", "old": "retain"}
    assert list(project.cloud.there) == ["physical"]
