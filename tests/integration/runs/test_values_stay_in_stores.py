"""No value of a secret is anywhere but in its store and at its target, with every function logging at DEBUG.

The values are those that the runs of this folder minted, old, new and given up, and the authorities' credentials. That
the search would find a leak is held first, with a marker planted in each kind of surface.
"""

from __future__ import annotations

import base64
import io
import json
import secrets
import zipfile
from collections.abc import Callable
from contextlib import closing
from urllib.parse import quote

import pytest
from runs_credentials import NAMES
from runs_failures import Failure
from runs_life import Life
from runs_markers import forms, markers
from runs_messages import messages
from runs_stack import BUCKET, LEDGER, PREFIX, Stack
from runs_stores import VaultReader
from runs_surfaces import SURFACES, find

from sandbox.parts.postgres_roles import connect

pytestmark = pytest.mark.sandbox

# two of each credential's life, the one given up and the one after it
LEAST_VALUES = 4 * len(NAMES)
PLANTED_KEY = "policies/planted.json"


def test_functions_log_at_debug_and_each_of_them_logged(stack: Stack, lives: dict[str, Life]) -> None:
    levels = {
        life.second.run["function"]: stack.function_at(life.second.run)["Environment"]["Variables"]["LOG_LEVEL"]
        for life in lives.values()
    }
    assert set(levels.values()) == {"DEBUG"}
    logged = {where for where, text in SURFACES["logs"](stack) if "phase ended" in text}
    assert logged >= {f"/aws/lambda/{PREFIX}-{kind}" for kind in ("aws", "vault", "gcp", "control")}


def test_no_value_old_new_or_given_up_is_outside_the_stores(
    stack: Stack, lives: dict[str, Life], failures: dict[str, Failure]
) -> None:
    assert len(stack.known) >= LEAST_VALUES
    for life in lives.values():
        assert {life.old.text, life.new.text} <= stack.known
    for failure in failures.values():
        assert {failure.candidate.text, failure.repaired_live.text} <= stack.known
    assert find(stack, markers(stack)) == []


def test_the_markers_are_in_the_stores(stack: Stack, lives: dict[str, Life]) -> None:
    """The search looks for what is really there."""
    wanted = markers(stack)
    for life in lives.values():
        assert any(marker in life.live_at_last.text for marker in wanted)


def _in_a_log(stack: Stack, marker: str) -> None:
    group, client = f"/aws/lambda/{PREFIX}-aws", stack.aws("logs")
    client.create_log_stream(logGroupName=group, logStreamName=marker[:8])
    event = {"timestamp": 1, "message": f"exception: {marker}"}
    client.put_log_events(logGroupName=group, logStreamName=marker[:8], logEvents=[event])


def _in_an_execution(stack: Stack, marker: str) -> None:
    # no policy names this secret: the claim refuses it
    machine = f"arn:aws:states:us-east-1:000000000000:stateMachine:{PREFIX}-rotate"
    given = f'{{"secret": "planted", "reason": "{marker}", "requested_by": "tests"}}'
    stack.aws("stepfunctions").start_execution(stateMachineArn=machine, input=given)


def _in_the_ledger(stack: Stack, marker: str) -> None:
    row = {"pk": {"S": "planted"}, "sk": {"S": marker[:8]}, "facts": {"M": {"detail": {"S": marker}}}}
    stack.aws("dynamodb").put_item(TableName=LEDGER, Item=row)


def _in_an_object(stack: Stack, marker: str) -> None:
    stack.aws("s3").put_object(Bucket=BUCKET, Key=PLANTED_KEY, Body=marker.encode())
    stack.aws("s3").delete_object(Bucket=BUCKET, Key=PLANTED_KEY)


def _in_a_zip(stack: Stack, marker: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("settings.py", f"TOKEN = '{marker}'")
    stack.aws("s3").put_object(Bucket=BUCKET, Key="planted.zip", Body=packed.getvalue())
    stack.aws("s3").delete_object(Bucket=BUCKET, Key="planted.zip")


def _in_dead_letters(stack: Stack, marker: str) -> None:
    name = f"{PREFIX}-vault-dead"
    url = next(url for url in stack.aws("sqs").list_queues()["QueueUrls"] if url.endswith(f"/{name}"))
    stack.aws("sqs").send_message(QueueUrl=url, MessageBody=marker)
    assert marker in messages(stack)[name]


def _in_postgres_log(stack: Stack, marker: str) -> None:
    known = stack.credentials
    login = (stack.facts.postgres_port, known.postgres_admin_user, known.postgres_admin_password)
    with closing(connect(*login)) as session:
        session.run(f"SELECT '{marker}'")


def _in_vaults_audit(stack: Stack, marker: str) -> None:
    # the audit device hashes what is in a request, but not its path
    with closing(VaultReader(stack, f"planted/{marker}")) as reader:
        assert reader.client.read(f"keyturn/data/planted/{marker}") is None


def _in_engine_state(stack: Stack, marker: str) -> None:
    (stack.layout.engine / "planted.json").write_text(f'{{"outputs": "{marker}"}}', encoding="utf-8")


PLANTS: dict[str, tuple[str, Callable[[Stack, str], None]]] = {
    "log of a function": ("logs", _in_a_log),
    "history of an execution": ("executions", _in_an_execution),
    "row of the ledger": ("ledger", _in_the_ledger),
    "deleted object": ("objects", _in_an_object),
    "file in a zip": ("objects", _in_a_zip),
    "dead letter": ("queues", _in_dead_letters),
    "statement in PostgreSQL's log": ("files", _in_postgres_log),
    "Vault's audit device": ("files", _in_vaults_audit),
    "state of the engine": ("files", _in_engine_state),
}


@pytest.mark.parametrize(("kind", "plant"), PLANTS.values(), ids=PLANTS)
def test_a_marker_planted_in_a_surface_is_found(kind: str, plant: Callable[[Stack, str], None], stack: Stack) -> None:
    marker = secrets.token_hex(20)
    assert find(stack, forms(marker), [kind]) == []
    plant(stack, marker)
    assert "raw" in {form for _, form in find(stack, forms(marker), [kind])}


@pytest.mark.parametrize("before", ["", "x", "xy"])
def test_a_marker_is_found_inside_base64_url_and_json(before: str) -> None:
    text = 'a "quoted" text/with+all & kinds of characters'
    wanted = forms(text)
    shown = (
        base64.b64encode(f"{before}{text} and more".encode()).decode(),
        quote(before + text, safe=""),
        json.dumps({"a": json.dumps({"b": before + text})}),
    )
    for surface in shown:
        assert any(marker in surface for marker in wanted), surface
