"""Paths, facts and credentials of a sandbox: one directory, whole files, nothing printed."""

from __future__ import annotations

import dataclasses
import stat
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.facts import Credentials, Facts, write_atomically
from sandbox.layout import CHECKOUT, Layout

FACTS = Facts(
    aws_endpoint="http://127.0.0.1:1",
    vault_address="http://127.0.0.1:2",
    google_endpoint="127.0.0.1:3",
    postgres_port=4,
    redis_port=7,
    token_service_url="http://127.0.0.1:5",
    verifier_url="http://127.0.0.1:6",
    jwks_url="http://127.0.0.1:8",
    webhooks_url="http://127.0.0.1:9",
)
CREDENTIALS = Credentials(**{f.name: f"marker-{f.name}" for f in dataclasses.fields(Credentials)})


def test_the_sandbox_lies_in_the_checkout_unless_the_environment_names_a_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("KEYTURN_SANDBOX_DIR", raising=False)
    assert Layout.from_env().root == CHECKOUT / ".sandbox"
    monkeypatch.setenv("KEYTURN_SANDBOX_DIR", str(tmp_path))
    assert Layout.from_env().root == tmp_path


def test_every_path_of_a_layout_is_inside_its_directory(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    names = [n for n in vars(Layout) if isinstance(vars(Layout)[n], property)]
    paths = [*(getattr(layout, n) for n in names), layout.log("x"), layout.part("x"), layout.process("x")]
    assert len(paths) > 10
    assert all(path.is_relative_to(tmp_path) for path in paths)


def test_a_directory_with_something_else_in_it_is_never_taken(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(SandboxError) as refused:
        Layout(tmp_path).claim()
    assert refused.value.reason == "not_a_sandbox"
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_claimed_directory_can_be_claimed_again(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "new" / "sandbox")
    layout.claim()
    layout.make_fresh()
    layout.claim()
    assert layout.marker.exists()


def test_facts_come_back_as_they_were_saved(tmp_path: Path) -> None:
    FACTS.save(tmp_path / "facts.json")
    assert Facts.load(tmp_path / "facts.json") == FACTS


def test_already_running_is_an_answer_and_is_not_stored(tmp_path: Path) -> None:
    dataclasses.replace(FACTS, already_running=True).save(tmp_path / "facts.json")
    assert Facts.load(tmp_path / "facts.json").already_running is False


def test_credentials_come_back_and_only_their_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    path.write_text("old")
    path.chmod(0o644)
    CREDENTIALS.save(path)
    assert Credentials.load(path) == CREDENTIALS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_credentials_cannot_be_printed() -> None:
    assert "marker" not in repr(CREDENTIALS) + str(CREDENTIALS) + f"{CREDENTIALS}"
    assert "vault_root_token=<redacted>" in repr(CREDENTIALS)


@pytest.mark.parametrize("kind", [Facts, Credentials])
def test_without_the_file_the_error_says_that_no_sandbox_is_up_and_how_to_start_it(
    tmp_path: Path, kind: type[Facts | Credentials]
) -> None:
    with pytest.raises(SandboxError) as missing:
        kind.load(tmp_path / "absent.json")
    assert missing.value.reason == "sandbox_not_up"
    assert "keyturn sandbox up" in missing.value.remedy


@pytest.mark.parametrize("content", ["", "{", "[]", '"marker-x"', '{"marker-x": 1}', '{"vault_address": "marker-x"}'])
@pytest.mark.parametrize("kind", [Facts, Credentials])
def test_a_damaged_file_is_named_and_never_quoted(
    tmp_path: Path, kind: type[Facts | Credentials], content: str
) -> None:
    path = tmp_path / "damaged.json"
    path.write_text(content)
    with pytest.raises(SandboxError) as damaged:
        kind.load(path)
    assert damaged.value.reason == "sandbox_damaged"
    assert str(path) in damaged.value.message
    assert "marker-x" not in str(damaged.value)
    assert damaged.value.__suppress_context__


def test_a_field_of_another_type_is_damage_too(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    FACTS.save(path)
    path.write_text(path.read_text().replace('"postgres_port": 4', '"postgres_port": "4"'))
    with pytest.raises(SandboxError) as damaged:
        Facts.load(path)
    assert damaged.value.reason == "sandbox_damaged"


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    write_atomically(path, {"a": 1})
    with pytest.raises(TypeError):
        write_atomically(path, {"a": object()})
    assert path.read_text() == '{\n  "a": 1\n}\n'
    assert [p.name for p in Path(tmp_path).iterdir()] == ["facts.json"]
