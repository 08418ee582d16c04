"""AWS's own rotation, served by the aws function: the four events of RotateSecret, each sent twice.

The emulator's RotateSecret never calls a function and moves AWSCURRENT itself. It is asked with the token of the
current version, which leaves the labels where they are and enables rotation; what the service would do next is done by
hand: stage the token as AWSPENDING, then send the events. The placeholder has to hold something there, on AWS it is
empty.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import closing

import pytest
from runs_credentials import POSTGRES
from runs_stack import PREFIX, Stack
from runs_stores import AwsReader, Seen
from runs_targets import ACCEPTED

pytestmark = pytest.mark.sandbox

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
PLACEHOLDER = "{}"
# Nobody enables rotation of an authority's credential.
UNROTATED = "keyturn/authority/payments-postgres"


@pytest.fixture(scope="module", autouse=True)
def _nothing_pending(stack: Stack) -> Iterator[None]:
    """Afterwards: the emulator's RotateSecret takes AWSPENDING off the current version, and lays bare an older one."""
    yield
    with closing(AwsReader(stack, POSTGRES.name)) as reader:
        reader.leave_nothing_pending()


def test_a_secret_without_rotation_is_refused(settled: Stack) -> None:
    assert "rotation_not_enabled" in _send(settled, "createSecret", _token(), UNROTATED)


def test_four_steps_each_sent_twice_rotate_once_and_the_overlap_ends_as_after_any_rotation(settled: Stack) -> None:
    reader = AwsReader(settled, POSTGRES.name)
    with closing(reader):
        old, token = reader.live(), _begun(settled, reader)
        candidates = {_step(settled, reader, step, token) for step in STEPS[:3] for _ in range(2)}
        assert len(candidates) == 1
        assert reader.live() == old
        for _ in range(2):
            assert _send(settled, "finishSecret", token) == ""
        new = reader.live()
    assert new == Seen(token, candidates.pop() or "")
    assert settled.head(POSTGRES.name)["current"]["id"] == token
    assert (_shown(settled, old), _shown(settled, new)) == (ACCEPTED, ACCEPTED)
    retired = settled.retire(POSTGRES.name)
    assert (retired.status, retired.step("prove")["facts"]["proof"]) == ("SUCCEEDED", "dead")
    assert (_shown(settled, old), _shown(settled, new)) == (POSTGRES.refusal, ACCEPTED)


def test_a_token_that_is_current_already_is_answered_without_an_effect(settled: Stack) -> None:
    with closing(AwsReader(settled, POSTGRES.name)) as reader:
        _enable(settled, reader)
        before, labels, head = reader.live(), reader.labels(), settled.head(POSTGRES.name)
        assert [_send(settled, step, before.version) for step in STEPS] == ["", "", "", ""]
        assert (reader.live(), reader.labels(), settled.head(POSTGRES.name)) == (before, labels, head)


def test_an_unknown_token_is_refused(settled: Stack) -> None:
    with closing(AwsReader(settled, POSTGRES.name)) as reader:
        _enable(settled, reader)
    assert "token_unknown" in _send(settled, "createSecret", _token())


def test_a_token_that_is_not_staged_as_pending_is_refused(settled: Stack) -> None:
    with closing(AwsReader(settled, POSTGRES.name)) as reader:
        _enable(settled, reader)
    token, client = _token(), settled.aws("secretsmanager")
    client.put_secret_value(
        SecretId=POSTGRES.name, ClientRequestToken=token, SecretString=PLACEHOLDER, VersionStages=["ASIDE"]
    )
    assert "token_not_pending" in _send(settled, "setSecret", token)
    client.update_secret_version_stage(SecretId=POSTGRES.name, VersionStage="ASIDE", RemoveFromVersionId=token)


def _begun(stack: Stack, reader: AwsReader) -> str:
    """What RotateSecret does before its first event; the token."""
    _enable(stack, reader)
    token = _token()
    stack.aws("secretsmanager").put_secret_value(
        SecretId=POSTGRES.name, ClientRequestToken=token, SecretString=PLACEHOLDER, VersionStages=["AWSPENDING"]
    )
    return token


def _enable(stack: Stack, reader: AwsReader) -> None:
    alias = stack.aws("lambda").get_alias(FunctionName=f"{PREFIX}-aws", Name="live")["AliasArn"]
    before = reader.live()
    stack.aws("secretsmanager").rotate_secret(
        SecretId=POSTGRES.name,
        ClientRequestToken=before.version,
        RotationLambdaARN=alias,
        RotationRules={"AutomaticallyAfterDays": 30},
    )
    assert reader.live() == before


def _step(stack: Stack, reader: AwsReader, step: str, token: str) -> str | None:
    """Send a step; what the token's version holds afterwards."""
    assert _send(stack, step, token) == ""
    return reader.at(token)


def _send(stack: Stack, step: str, token: str, secret: str = POSTGRES.name) -> str:
    """The error's text, empty when the function answered well: the service looks at nothing else."""
    event = {"Step": step, "SecretId": secret, "ClientRequestToken": token}
    answer = stack.aws("lambda").invoke(FunctionName=f"{PREFIX}-aws", Qualifier="live", Payload=json.dumps(event))
    said = json.loads(answer["Payload"].read())
    return str(said["errorMessage"]) if "FunctionError" in answer else ""


def _token() -> str:
    """32 characters, as the service makes them."""
    return secrets.token_hex(16)


def _shown(stack: Stack, seen: Seen) -> str:
    return POSTGRES.show(stack.facts, seen.text)
