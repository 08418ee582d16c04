"""Default tags of the AWS provider: on every resource that takes tags, in the engine and behind the real command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from engine_cloud import TYPE, Things
from engine_project import Project, ops
from pulumi.runtime.proto import provider_pb2

from sandbox.engine import default_tags, wire
from sandbox.engine.provider import Provider

URN = f"urn:pulumi:dev::shop::{TYPE}::a"
DEFAULTS = {"owner": "platform", "stack": "dev"}
PROGRAM = """
class Aws(pulumi.ProviderResource):
    def __init__(self, tags):
        given = pulumi.Output.from_input({{"tags": tags}}).apply(pulumi.runtime.to_json)
        super().__init__("test", "cloud", {{"defaultTags": given}})


through = pulumi.ResourceOptions(provider=Aws({defaults}))
Thing("a", size=1, opts=through)
Thing("b", tags={{"owner": "payments", "tier": "1"}}, opts=through)
Thing("c", tags={{"tier": "1"}})
"""


class Tagged(Things):
    """A type that takes tags."""

    serves: ClassVar[frozenset[str]] = frozenset({"size", "tags"})


@pytest.fixture
def tagged(project: Project) -> Project:
    project.cloud = Tagged()
    return project.write(PROGRAM.format(defaults=DEFAULTS))


def test_default_tags_reach_the_handler_below_the_resources_own(tagged: Project) -> None:
    result = tagged.apply()
    assert tagged.cloud.there == {
        "a": {"size": 1, "tags": DEFAULTS},
        "b": {"tags": {"owner": "payments", "stack": "dev", "tier": "1"}},
        "c": {"tags": {"tier": "1"}},
    }
    assert next(r for r in result.resources if r.name == "a").inputs["tags"] == DEFAULTS
    assert set(ops(tagged.apply()).values()) == {"same"}


def test_a_changed_default_changes_every_resource_of_that_provider(tagged: Project) -> None:
    tagged.apply()
    changed = {"owner": "someone", "stack": "dev"}
    done = ops(tagged.write(PROGRAM.format(defaults=changed)).apply())
    assert done == {"cloud": "update", "a": "update", "b": "same", "c": "same"}
    assert tagged.cloud.there["a"]["tags"] == changed


def test_a_type_that_takes_no_tags_gets_none(tagged: Project) -> None:
    tagged.cloud = Things()
    tagged.apply()
    assert tagged.cloud.there["a"] == {"size": 1}


def test_the_real_command_gets_the_tags_back_from_the_check_of_inputs(tmp_path: Path) -> None:
    provider = Provider({TYPE: Tagged()}, {}, "7.0.0", tmp_path)
    asked = provider_pb2.CheckRequest(urn=URN, news=wire.to_struct({"size": 1, "tags": {"owner": "payments"}}))
    assert provider.Check(asked, None).inputs == asked.news
    given = wire.to_struct({"defaultTags": json.dumps({"tags": DEFAULTS})})
    provider.Configure(provider_pb2.ConfigureRequest(args=given), None)
    expected = {"size": 1, "tags": {"owner": "payments", "stack": "dev"}}
    assert wire.from_struct(provider.Check(asked, None).inputs) == expected


@pytest.mark.parametrize(
    "given",
    [None, wire.UNKNOWN, "{}", {"tags": wire.UNKNOWN}, json.dumps({"tags": wire.UNKNOWN}), {"tags": {}}],
)
def test_defaults_that_are_absent_or_not_yet_known_are_none(given: Any) -> None:
    assert default_tags.of_provider({"defaultTags": given}) == {}


def test_tags_that_are_one_secret_or_one_unknown_are_left_as_they_are() -> None:
    for tags in (wire.secret({"a": "b"}), wire.UNKNOWN):
        assert default_tags.merged({"tags": tags}, DEFAULTS, Tagged()) == {"tags": tags}
