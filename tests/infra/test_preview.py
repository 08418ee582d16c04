"""The preview without the command: a readable tree, and what differs from the stored baseline."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pulumi
import pytest
from recorded_stacks import Stack
from rich.console import Console

from infra import artefacts, baseline, preview
from infra.tree import differences_shown, tree
from rotation.errors import Refused


def shown(renderable: object) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(renderable)
    return console.export_text()


def test_the_tree_shows_components_with_what_they_hold_and_its_protection(prod: Stack) -> None:
    text = shown(tree("prod", prod.resources))
    assert f"prod: {sum(one.custom for one in prod.resources)} resources" in text
    assert "Ledger ledger\n│   └── aws Table ledger (protected)" in text
    assert "ignores functionVersion, routingConfig" in text


def test_the_stored_baseline_is_what_the_program_declares(stack: Stack) -> None:
    stored = baseline.load(stack.name)
    assert stored, f"store it: python -m infra.preview --stack {stack.name} --update-baseline"
    found = baseline.differences(stored, baseline.picture(stack.resources))
    assert found == [], f"look, then: python -m infra.preview --stack {stack.name} --update-baseline"


def test_additions_removals_and_changed_fields_are_told_apart_with_their_paths(prod: Stack) -> None:
    before = baseline.picture(prod.resources)
    after = json.loads(json.dumps(before))
    table = "keyturn:infra:Ledger$aws:dynamodb/table:Table::ledger"
    after[table]["inputs"]["pointInTimeRecovery"]["enabled"] = False
    document = next(key for key in after if key.endswith("::policies/payments/postgres.json"))
    after[document]["inputs"]["content"]["overlap_s"] = 60
    del after["keyturn:infra:VaultLogin$vault:jwt/authBackend:AuthBackend::jwt"]
    after["aws:sns/topic:Topic::new"] = {"inputs": {}, "protect": False, "ignoreChanges": []}
    found = {(one.kind, one.path) for one in baseline.differences(before, after)}
    assert found == {
        ("added", ""),
        ("removed", ""),
        ("changed", "inputs.pointInTimeRecovery.enabled"),
        ("changed", "inputs.content.overlap_s"),
    }
    text = shown(differences_shown(baseline.differences(before, after)))
    assert f"~ {table} inputs.pointInTimeRecovery.enabled: True -> False" in text


def test_a_changed_permission_shows_as_the_statement_and_the_action_that_came(prod: Stack) -> None:
    before = baseline.picture(prod.resources)
    after = json.loads(json.dumps(before))
    role = "keyturn:infra:RotationFunction$aws:iam/rolePolicy:RolePolicy::keyturn-prod-aws"
    statements = {one["Sid"]: one for one in after[role]["inputs"]["policy"]["Statement"]}
    statements["OwnSecrets"]["Action"].append("secretsmanager:DeleteSecret")
    (found,) = baseline.differences(before, after)
    assert found.path == "inputs.policy.Statement[OwnSecrets].Action"
    assert (found.before, found.after) == ([], ["secretsmanager:DeleteSecret"])


def test_two_recordings_of_a_stack_are_alike(prod: Stack) -> None:
    assert baseline.picture(Stack("prod").resources) == baseline.picture(prod.resources)


def test_preview_exits_with_1_in_strict_mode_only_when_something_differs(
    prod: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stored: dict[str, baseline.Picture] = {}
    monkeypatch.setattr(preview, "record", lambda _stack: prod.resources)
    monkeypatch.setattr(preview, "load", stored.get)
    monkeypatch.setattr(preview, "save", stored.__setitem__)
    assert preview.main(["--stack", "prod", "--update-baseline"]) == 0
    assert preview.main(["--stack", "prod", "--strict"]) == 0
    assert "no difference from the baseline" in capsys.readouterr().out
    stored["prod"].popitem()
    assert preview.main(["--stack", "prod"]) == 0
    assert preview.main(["--stack", "prod", "--strict", "--json"]) == 1
    assert '"kind": "added"' in capsys.readouterr().out


def test_preview_of_a_wrong_configuration_exits_with_2_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_stack: str) -> None:
        raise Refused("bad_configuration", "`keyturn:region` is missing", "correct it and repeat")

    monkeypatch.setattr(preview, "record", refuse)
    assert preview.main(["--stack", "prod"]) == 2
    captured = capsys.readouterr()
    assert "`keyturn:region` is missing\ncorrect it and repeat" in captured.err
    assert captured.out == ""


def test_a_missing_zip_is_named_when_applied_and_stands_as_a_mark_in_a_preview(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "aws.zip").write_bytes(b"PK")
    with monkeypatch.context() as applying:
        applying.setattr(pulumi.runtime, "is_dry_run", lambda: False)
        with pytest.raises(Refused, match=r"lacks vault\.zip") as caught:
            artefacts.check_zips(("aws", "vault"), tmp_path)
        assert "make build" in caught.value.remedy
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    artefacts.check_zips(("aws", "vault"), tmp_path)
    assert isinstance(artefacts.code("vault", tmp_path), pulumi.AssetArchive)
    assert isinstance(artefacts.code("aws", tmp_path), pulumi.FileArchive)
