"""The real `pulumi` command with the sandbox's plugins: previews of every stack, and a life of stack `local`.

Skipped, naming the tool, where there is no command. The tests of the life stand in the order of a user's verbs.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from checkout_copy import Place
from cloud_inventory import inventory
from real_command import TOOL, Command

from sandbox.aws_client import administrator
from sandbox.facts import Facts

pytestmark = [
    pytest.mark.pulumi_command,
    pytest.mark.sandbox,
    pytest.mark.openbao,
    pytest.mark.postgres,
    pytest.mark.skipif(shutil.which(TOOL) is None, reason=f"the command `{TOOL}` is not on the PATH"),
]

STACKS = ("local", "staging", "prod")
LOG_GROUP = "/aws/lambda/keyturn-local-aws"


@pytest.fixture(scope="module")
def pulumi(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """The command in the copy, every stack initialised; nothing of it may run afterwards."""
    made = Command(place, tmp_path_factory.mktemp("pulumi"))
    for stack in STACKS:
        done = made("stack", "init", stack)
        assert done.returncode == 0, done.stderr
    yield made
    assert made.left_running() == []


def retention(facts: Facts) -> int | None:
    """Days that one function's logs are kept, None when the group is gone."""
    logs = administrator(facts, "logs")
    found = logs.describe_log_groups(logGroupNamePrefix=LOG_GROUP)["logGroups"]
    logs.close()
    return found[0]["retentionInDays"] if found else None


@pytest.mark.parametrize("stack", STACKS)
def test_a_preview_declares_exactly_what_the_recording_of_that_stack_does(pulumi: Command, stack: str) -> None:
    previewed = pulumi.previewed(stack)
    assert set(previewed.values()) == {"create"}
    assert sorted(previewed) == pulumi.recorded(stack)


def test_another_stack_than_the_sandboxs_cannot_be_applied_through_the_plugins(pulumi: Command, place: Place) -> None:
    before = inventory(place.facts, place.credentials)
    refused = pulumi("up", "--yes", "--skip-preview", "--stack", "staging")
    assert refused.returncode != 0
    assert "apply stack local only; take them off the PATH to apply staging" in refused.stdout
    assert inventory(place.facts, place.credentials) == before


def test_local_is_made_and_a_second_up_changes_nothing(pulumi: Command, place: Place) -> None:
    # and the stack itself
    total = len(pulumi.recorded("local")) + 1
    assert pulumi.counts("up", "--yes", "--skip-preview", "--stack", "local") == {"created": total}
    full = inventory(place.facts, place.credentials)
    assert pulumi.counts("up", "--yes", "--skip-preview", "--stack", "local") == {"unchanged": total}
    assert inventory(place.facts, place.credentials) == full


def test_a_changed_input_updates_what_it_concerns(pulumi: Command, place: Place) -> None:
    assert retention(place.facts) == 1
    assert pulumi("config", "set", "keyturn:logRetentionDays", "3", "--stack", "local").returncode == 0
    done = pulumi.counts("up", "--yes", "--skip-preview", "--stack", "local")
    assert set(done) == {"updated", "unchanged"}
    assert done["updated"] == sum("LogGroup::" in name for name in pulumi.recorded("local"))
    assert retention(place.facts) == 3


def test_refresh_finds_what_was_removed_behind_its_back_and_up_makes_it_again(pulumi: Command, place: Place) -> None:
    calm = pulumi.counts("refresh", "--yes", "--skip-preview", "--stack", "local")
    assert set(calm) == {"unchanged"}
    logs = administrator(place.facts, "logs")
    logs.delete_log_group(logGroupName=LOG_GROUP)
    logs.close()
    assert pulumi.counts("refresh", "--yes", "--skip-preview", "--stack", "local")["deleted"] == 1
    assert pulumi.counts("up", "--yes", "--skip-preview", "--stack", "local")["created"] == 1
    assert retention(place.facts) == 3


def test_destroy_leaves_nothing(pulumi: Command, place: Place) -> None:
    # it has to be there to be removed
    assert retention(place.facts) == 3
    done = pulumi.counts("destroy", "--yes", "--skip-preview", "--stack", "local")
    assert set(done) == {"deleted"}
    left = inventory(place.facts, place.credentials)
    assert {kind: names for kind, names in left.items() if any("keyturn" in name for name in names)} == {}
    assert left["keys"] == set()
