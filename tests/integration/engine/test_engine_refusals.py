"""What the engine refuses, in words, before or instead of doing it; and how resources are named."""

from __future__ import annotations

import pytest
from engine_cloud import TYPE
from engine_project import Project

from sandbox.engine import EngineError, apply
from sandbox.engine.state import exclusive


def test_an_unknown_type_is_named_with_what_to_do(project: Project) -> None:
    project.write('pulumi.CustomResource("aws:moon/base:Base", "alpha", {})')
    with pytest.raises(EngineError, match="aws:moon/base:Base") as caught:
        project.apply()
    assert caught.value.reason == "unknown_type"
    assert "sandbox/handlers" in caught.value.remedy
    with pytest.raises(EngineError, match="aws:moon/base:Base"):
        project.preview()


def test_two_resources_of_one_name_are_refused(project: Project) -> None:
    with pytest.raises(EngineError, match="Thing::a") as caught:
        project.write('Thing("a")\nThing("a")').apply()
    assert caught.value.reason == "duplicate_urn"


def test_the_type_chain_of_nested_components_is_in_the_name(project: Project) -> None:
    result = project.write("""
outer = Group("outer", kind="shop:infra:Outer")
inner = Group("inner", kind="shop:infra:Inner", opts=pulumi.ResourceOptions(parent=outer))
Thing("same", opts=pulumi.ResourceOptions(parent=inner))
Thing("same", opts=pulumi.ResourceOptions(parent=outer))
Thing("same::odd")
""").apply()
    prefix = "urn:pulumi:dev::shop::"
    assert set(result.ops) == {
        f"{prefix}shop:infra:Outer::outer",
        f"{prefix}shop:infra:Outer$shop:infra:Inner::inner",
        f"{prefix}shop:infra:Outer$shop:infra:Inner${TYPE}::same",
        f"{prefix}shop:infra:Outer${TYPE}::same",
        f"{prefix}{TYPE}::same::odd",
    }
    parents = {recorded.urn: recorded.parent for recorded in result.resources}
    assert parents[f"{prefix}shop:infra:Outer$shop:infra:Inner::inner"] == f"{prefix}shop:infra:Outer::outer"


def test_an_import_is_refused_rather_than_dropped(project: Project) -> None:
    with pytest.raises(EngineError, match="does not do import") as caught:
        project.write('Thing("a", opts=pulumi.ResourceOptions(import_="a"))').apply()
    assert caught.value.reason == "unsupported_option"


def test_a_transform_is_refused_by_the_program_itself(project: Project) -> None:
    with pytest.raises(EngineError, match="transforms"):
        project.write('Thing("a", opts=pulumi.ResourceOptions(transforms=[lambda args: None]))').apply()
    assert project.cloud.log == []


def test_a_damaged_state_stops_the_run_before_anything_happens(project: Project) -> None:
    project.write('Thing("a")').apply()
    project.state.write_text("{")
    with pytest.raises(EngineError) as caught:
        project.write('Thing("b")').apply()
    assert caught.value.reason == "state_damaged"
    assert list(project.cloud.there) == ["a"]


def test_the_state_of_another_stack_is_refused(project: Project) -> None:
    project.write('Thing("a")').apply()
    with pytest.raises(EngineError, match="shop/dev, not shop/prod"):
        apply(project.folder, "shop", "prod", project.state, {}, {TYPE: project.cloud}, {})


def test_two_runs_on_one_state_at_once_are_refused(project: Project) -> None:
    with exclusive(project.state), pytest.raises(EngineError) as caught:
        project.write('Thing("a")').apply()
    assert caught.value.reason == "state_locked"
    assert project.cloud.log == []


def test_a_program_that_is_not_there_is_said_so(project: Project) -> None:
    with pytest.raises(EngineError) as caught:
        project.apply()
    assert caught.value.reason == "no_program"
