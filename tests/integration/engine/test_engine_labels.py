"""What only a provider calls secret: sealed where it is marked, and never mistaken for a secret in other texts.

pulumi-gcp marks `effectiveLabels` and `pulumiLabels` of every secret; a label's text is part of names and policies.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from engine_cloud import Things
from engine_project import Project, ops

from sandbox.engine import wire
from sandbox.engine.sealing import REDACTED, Sealer

TOKEN = "tok-91bc-made-by-the-cloud"
SHELL = """
marked = pulumi.ResourceOptions(additional_secret_outputs=["effectiveLabels", "pulumiLabels", "token"])
shell = Thing("shell", secretId="analytics-signing-key", labels={"owner": "analytics"}, opts=marked)
"""
REST = """
member = Thing("member", secretId=shell.arn.apply(lambda arn: "projects/p/secrets/analytics-signing-key"))
Thing("object", key="policies/analytics/signing-key.json", statement='{"Resource": "analytics-*", "by": "platform"}')
pulumi.export("where", "policies/analytics/signing-key.json")
"""
KEY = "policies/analytics/signing-key.json"


class Labelling(Things):
    """Adds what pulumi-gcp adds: the labels again, with one that somebody else set, and here a token too."""

    def _outputs(self, id_: str, inputs: dict[str, Any]) -> dict[str, Any]:
        outputs = super()._outputs(id_, inputs)
        if "labels" not in inputs:
            return outputs
        effective = {**inputs["labels"], "team": "platform"}
        own = {"pulumiLabels": inputs["labels"], "effectiveLabels": effective}
        return {**outputs, **own, "token": TOKEN, "address": f"https://h/?t={TOKEN}"}


@pytest.fixture
def labelled(project: Project) -> Project:
    project.cloud = Labelling()
    return project.write(SHELL + REST)


def entries(project: Project) -> dict[str, Any]:
    return {entry["name"]: entry for entry in project.document()["resources"]}


def test_texts_that_contain_a_label_stay_readable_in_state_and_result(labelled: Project) -> None:
    result = labelled.apply()
    assert REDACTED not in repr(result)
    assert result.outputs == {"where": KEY}
    found = entries(labelled)
    assert found["object"]["inputs"]["key"] == KEY
    assert found["object"]["outputs"]["statement"] == '{"Resource": "analytics-*", "by": "platform"}'
    assert found["shell"]["outputs"]["labels"] == {"owner": "analytics"}
    assert found["member"]["outputs"]["secretId"] == "projects/p/secrets/analytics-signing-key"


def test_the_outputs_that_the_provider_marks_are_sealed_themselves(labelled: Project) -> None:
    labelled.apply()
    outputs = entries(labelled)["shell"]["outputs"]
    assert {key for key, value in outputs.items() if "digest" in value} == {
        "effectiveLabels",
        "pulumiLabels",
        "token",
        "address",
    }


def test_deleting_gets_the_names_that_contain_a_label(labelled: Project) -> None:
    labelled.apply()
    labelled.destroy()
    assert labelled.cloud.seen_by_delete["member"]["secretId"] == "projects/p/secrets/analytics-signing-key"
    assert labelled.cloud.seen_by_delete["shell"]["secretId"] == "analytics-signing-key"
    assert labelled.cloud.there == {}


def test_nothing_changes_when_the_labelled_resource_comes_first_or_last(labelled: Project) -> None:
    labelled.apply()
    same = dict.fromkeys(("shell", "member", "object"), "same")
    assert ops(labelled.apply()) == same
    other_way = REST.splitlines()[2] + SHELL + REST.splitlines()[1] + f'\npulumi.export("where", "{KEY}")\n'
    assert ops(labelled.write(other_way).apply()) == same


def test_a_token_that_only_the_provider_knows_is_sealed_wherever_it_repeats_it(labelled: Project) -> None:
    result = labelled.apply()
    labelled.apply()
    kept = "".join(path.read_text() for path in labelled.state.parent.iterdir())
    assert TOKEN not in kept + repr(result)


def test_a_text_that_became_known_as_a_secret_is_no_change_of_the_resource_that_holds_it(project: Project) -> None:
    plain = 'Thing("a", kind="k-of-hunter-22", note="of hunter-22")\n'
    project.write(plain).apply()
    hidden = 'b = Thing("b", password=pulumi.Output.secret("hunter-22"))\n'
    later = plain.replace(")\n", ", opts=pulumi.ResourceOptions(depends_on=[b]))\n")
    assert ops(project.write(hidden + later).apply()) == {"a": "same", "b": "create"}
    assert "hunter-22" not in project.state.read_text()
    assert ops(project.write(plain + hidden).apply()) == {"a": "same", "b": "same"}


def test_a_word_that_the_program_itself_calls_secret_is_sealed_in_every_text(tmp_path: Path) -> None:
    sealer = Sealer("key", tmp_path)
    sealer.learn({"password": wire.secret("platform")})
    sealer.learn_answer({"password": wire.secret("platform")}, {"note": "platform"})
    assert sealer.scrub("of platform") == f"of {REDACTED}"
    assert "platform" not in json.dumps(sealer.seal({"note": "of platform"}))


@pytest.mark.parametrize("given", ["hunter-22", ["hunter-22"], {"deep": {"er": "hunter-22"}}])
def test_an_answer_teaches_no_secret_that_the_program_gave_in_the_clear(tmp_path: Path, given: Any) -> None:
    sealer = Sealer("key", tmp_path)
    sealer.learn_answer({"out": wire.secret({"a": "hunter-22", "b": "tok-77-of-cloud"})}, {"in": given})
    assert sealer.scrub("hunter-22 tok-77-of-cloud") == f"hunter-22 {REDACTED}"


def test_sealed_and_clear_values_are_the_same_only_when_their_content_is(tmp_path: Path) -> None:
    sealer = Sealer("key", tmp_path)
    sealed = sealer.seal({"a": [wire.secret("x-1")], "b": wire.secret({"c": 1})})
    assert sealer.same(sealed, {"a": ["x-1"], "b": {"c": 1}})
    assert sealer.same({"a": ["x-1"], "b": {"c": 1}}, sealed)
    assert not sealer.same(sealed, {"a": ["x-2"], "b": {"c": 1}})
    assert not sealer.same(sealed, {"a": ["x-1"], "b": {"c": 2}})
    assert not sealer.same(sealed, sealer.seal({"a": [wire.secret("x-1")], "b": wire.secret({"c": 2})}))
    assert not Sealer("other key", tmp_path).same(sealed, {"a": ["x-1"], "b": {"c": 1}})
