"""Values on their way between wire, handler and state; names; differences. No process is started here."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pulumi
import pytest

from sandbox.engine import EngineError, content, diff, urn, wire
from sandbox.engine.deployment import Deployment
from sandbox.engine.sealing import REDACTED, Sealer, is_sealed, readable
from sandbox.engine.state import load

VALUES = {
    "text": "x",
    "whole": 3,
    "part": 0.5,
    "yes": True,
    "nothing_inside": [None, {}, []],
    "deep": {"list": [{"a": [1, 2]}]},
}


def test_values_survive_the_wire() -> None:
    assert wire.from_struct(wire.to_struct(VALUES)) == VALUES
    assert isinstance(wire.from_struct(wire.to_struct({"whole": 3}))["whole"], int)


def test_absent_properties_are_left_out() -> None:
    assert wire.from_struct(wire.to_struct({"a": None, "b": 1})) == {"b": 1}


def test_a_reference_to_a_resource_is_its_id_and_an_output_its_value(tmp_path: Path) -> None:
    reference = {wire.SIGNATURE: wire.RESOURCE, "urn": "urn:pulumi:s::p::t::n", "id": "i-1"}
    output = {wire.SIGNATURE: wire.OUTPUT, "value": "v", "secret": True}
    assert wire.plain([reference, output, {wire.SIGNATURE: wire.OUTPUT}], tmp_path) == ["i-1", "v", wire.UNKNOWN]


def test_an_unknown_signature_is_an_error_and_not_a_dictionary(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="0bad"):
        wire.plain({wire.SIGNATURE: "0bad"}, tmp_path)


def test_an_output_that_differs_from_its_secret_input_is_secret_as_a_whole(tmp_path: Path) -> None:
    inputs = {"env": {"PW": wire.secret("x"), "A": "1"}, "size": 1}
    sent = wire.outputs({"env": {"PW": "x", "A": "2"}, "size": 1, "names": ("a", "b")}, inputs, tmp_path)
    assert sent == {"env": wire.secret({"PW": "x", "A": "2"}), "size": 1, "names": ["a", "b"]}
    assert wire.outputs({"env": {"PW": "x", "A": "1"}}, inputs, tmp_path) == {"env": inputs["env"]}


def test_sealing_keeps_what_is_open_and_tells_equal_secrets_from_different_ones(tmp_path: Path) -> None:
    sealer = Sealer("key", tmp_path)
    one, same, other = (sealer.seal({"a": wire.secret(text), "b": 1}) for text in ("first!", "first!", "second"))
    assert one == same != other
    assert "first!" not in repr(one)
    assert is_sealed(one)
    assert not is_sealed(VALUES)
    assert readable(one) == {"a": REDACTED, "b": 1}
    assert Sealer("another key", tmp_path).seal({"a": wire.secret("first!"), "b": 1}) != one


def test_an_archive_is_what_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "f.txt").write_text("x")
    before = content.digest(pulumi.FileArchive(str(folder)))
    assert content.digest(pulumi.FileArchive(str(folder))) == before
    (folder / "sub" / "f.txt").rename(folder / "sub" / "g.txt")
    assert content.digest(pulumi.FileArchive(str(folder))) != before
    (tmp_path / "f.txt").write_text("x")
    assert content.digest(pulumi.FileAsset(str(tmp_path / "f.txt"))) == content.digest(pulumi.StringAsset("x"))


def test_a_zip_is_compared_by_its_bytes(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(zipfile.ZipInfo("f"), "x")
    first, second = (content.digest(pulumi.FileArchive(str(tmp_path / name))) for name in ("a.zip", "b.zip"))
    assert first == second
    with pytest.raises(EngineError, match=r"c\.zip"):
        content.digest(pulumi.FileArchive(str(tmp_path / "c.zip")))


def test_property_paths_reach_into_objects_and_lists() -> None:
    assert diff.steps('a.b[0]["c d"].e') == ["a", "b", 0, "c d", "e"]
    with pytest.raises(ValueError, match="no property path"):
        diff.steps("")


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("a", {"a": 1, "list": [{"x": 2}], "new": 1}),
        ("list[0].x", {"a": 2, "list": [{"x": 1}], "new": 1}),
        ("list[7].x", {"a": 2, "list": [{"x": 2}], "new": 1}),
        ("new", {"a": 2, "list": [{"x": 2}]}),
        ("*", {"a": 1, "list": [{"x": 1}]}),
    ],
)
def test_ignored_paths_are_as_they_were(path: str, kept: dict[str, object]) -> None:
    old = {"a": 1, "list": [{"x": 1}]}
    assert diff.keep_ignored(old, {"a": 2, "list": [{"x": 2}], "new": 1}, [path]) == kept


def test_names_are_taken_apart_and_put_together() -> None:
    text = "urn:pulumi:dev::shop::a:b:Outer$c:d:Inner::name::with::colons"
    parsed = urn.parse(text)
    assert (parsed.type, parsed.name, str(parsed)) == ("c:d:Inner", "name::with::colons", text)
    assert urn.child("dev", "shop", text, "e:f:G", "x") == "urn:pulumi:dev::shop::a:b:Outer$c:d:Inner$e:f:G::x"
    with pytest.raises(ValueError, match="is not a URN"):
        urn.parse("urn:pulumi:dev")


def test_after_the_first_failure_nothing_new_is_begun_and_that_failure_is_kept(tmp_path: Path) -> None:
    run = Deployment(
        state=load(tmp_path / "dev.json", "shop", "dev"),
        sealer=Sealer("key", tmp_path),
        handlers={},
        invokes={},
        root=tmp_path,
        effects=True,
    )
    run.claim("urn:one")
    first, second = EngineError("first", "one"), EngineError("second", "two")
    run.fail(first)
    run.fail(second)
    with pytest.raises(EngineError) as caught:
        run.claim("urn:two")
    assert caught.value.reason == "run_stopped"
    assert run.failure is first
    assert run.claimed == {"urn:one"}
