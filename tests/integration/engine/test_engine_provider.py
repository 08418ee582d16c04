"""The provider that serves the real command, driven over gRPC as the command drives it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from engine_cloud import TYPE, Things
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from sandbox.engine import wire
from sandbox.engine.provider import Provider
from sandbox.engine.server import serve

URN = f"urn:pulumi:dev::shop::{TYPE}::a"
NOWHERE = "urn:pulumi:dev::shop::aws:moon/base:Base::a"
MARKER = "marker-of-a-provider-secret"


@pytest.fixture
def cloud() -> Things:
    return Things()


@pytest.fixture
def provider(cloud: Things, tmp_path: Path) -> Iterator[Any]:
    """A stub connected to a served provider."""
    invokes = {"test:index:lookup": lambda arguments: {"answer": arguments["n"] + 1}}
    servicer = Provider({TYPE: cloud}, invokes, "7.0.0", tmp_path)
    add = partial(provider_pb2_grpc.add_ResourceProviderServicer_to_server, servicer)
    with serve(add) as address, grpc.insecure_channel(address) as channel:
        yield provider_pb2_grpc.ResourceProviderStub(channel)


def create(provider: Any, properties: wire.Wire, *, preview: bool = False) -> Any:
    request = provider_pb2.CreateRequest(urn=URN, properties=wire.to_struct(properties), preview=preview)
    return provider.Create(request)


def diff(provider: Any, old: wire.Wire, new: wire.Wire, ignore: tuple[str, ...] = ()) -> Any:
    request = provider_pb2.DiffRequest(
        id="a", urn=URN, old_inputs=wire.to_struct(old), news=wire.to_struct(new), ignoreChanges=ignore
    )
    return provider.Diff(request)


def test_create_makes_the_resource_and_returns_its_outputs(provider: Any, cloud: Things) -> None:
    made = create(provider, {"size": 2, "tags": {"a": "b"}})
    assert made.id == "a"
    assert wire.from_struct(made.properties) == {"size": 2, "tags": {"a": "b"}, "arn": "arn:a"}
    assert cloud.there == {"a": {"size": 2, "tags": {"a": "b"}}}


def test_the_preview_of_a_create_has_no_effect_and_leaves_computed_outputs_unknown(
    provider: Any, cloud: Things
) -> None:
    made = create(provider, {"size": 2, "up": wire.UNKNOWN}, preview=True)
    assert made.id == ""
    assert wire.from_struct(made.properties) == {"size": 2, "up": wire.UNKNOWN, "arn": wire.UNKNOWN}
    assert cloud.log == []


def test_secrets_reach_the_handler_in_the_clear_and_go_back_as_secrets(provider: Any, cloud: Things) -> None:
    made = create(provider, {"password": wire.secret(MARKER)})
    assert cloud.there["a"] == {"password": MARKER}
    assert wire.from_struct(made.properties)["password"] == wire.secret(MARKER)


def test_assets_keep_the_form_and_hash_in_which_they_came(provider: Any, cloud: Things, tmp_path: Path) -> None:
    asset = {wire.SIGNATURE: wire.ASSET, "hash": "abc", "path": "code.py"}
    made = create(provider, {"code": asset})
    assert cloud.there["a"]["code"].path == str(tmp_path / "code.py")
    assert wire.from_struct(made.properties)["code"] == asset


def test_equal_inputs_differ_in_nothing_whatever_their_envelopes(provider: Any) -> None:
    old = {"size": 1, "pw": "x", "code": {wire.SIGNATURE: wire.ASSET, "hash": "h", "path": "old.py"}}
    new = {"size": 1.0, "pw": wire.secret("x"), "code": {wire.SIGNATURE: wire.ASSET, "hash": "h", "path": "new.py"}}
    answer = diff(provider, old, new)
    assert answer.changes == provider_pb2.DiffResponse.DIFF_NONE
    assert list(answer.diffs) == []


def test_a_difference_is_told_by_property_and_whether_it_replaces(provider: Any) -> None:
    answer = diff(
        provider, {"size": 1, "kind": "x", "gone": 1, "calm": 1}, {"size": 2, "kind": "y", "calm": 2}, ("calm",)
    )
    kinds = provider_pb2.PropertyDiff
    assert {key: found.kind for key, found in answer.detailedDiff.items()} == {
        "size": kinds.UPDATE,
        "kind": kinds.UPDATE_REPLACE,
        "gone": kinds.DELETE,
    }
    assert list(answer.replaces) == ["kind"]
    assert answer.deleteBeforeReplace


def test_an_unknown_value_counts_as_a_difference(provider: Any) -> None:
    assert list(diff(provider, {"up": "arn:b"}, {"up": wire.UNKNOWN}).diffs) == ["up"]


def test_update_changes_in_place_and_its_preview_does_not(provider: Any, cloud: Things) -> None:
    create(provider, {"size": 1})
    request: dict[str, Any] = {
        "id": "a",
        "urn": URN,
        "olds": wire.to_struct({"size": 1, "arn": "arn:a"}),
        "news": wire.to_struct({"size": 2}),
    }
    shown = provider.Update(provider_pb2.UpdateRequest(**request, preview=True))
    assert wire.from_struct(shown.properties) == {"size": 2, "arn": "arn:a"}
    assert cloud.there["a"] == {"size": 1}
    done = provider.Update(provider_pb2.UpdateRequest(**request))
    assert wire.from_struct(done.properties) == {"size": 2, "arn": "arn:a"}
    assert cloud.there["a"] == {"size": 2}


def test_read_tells_what_is_there_now_and_that_something_is_gone(provider: Any, cloud: Things) -> None:
    create(provider, {"size": 1})
    cloud.there["a"] = {"size": 5}
    found = provider.Read(provider_pb2.ReadRequest(id="a", urn=URN, inputs=wire.to_struct({"size": 1})))
    assert found.id == "a"
    assert wire.from_struct(found.properties) == {"size": 5, "arn": "arn:a"}
    assert wire.from_struct(found.inputs) == {"size": 5}
    cloud.there.clear()
    assert provider.Read(provider_pb2.ReadRequest(id="a", urn=URN)).id == ""


def test_delete_removes_and_may_be_repeated(provider: Any, cloud: Things) -> None:
    create(provider, {"size": 1})
    for _ in range(2):
        provider.Delete(provider_pb2.DeleteRequest(id="a", urn=URN))
    assert cloud.there == {}


def test_a_type_that_the_sandbox_cannot_make_is_refused_by_name_when_checked(provider: Any) -> None:
    answer = provider.Check(provider_pb2.CheckRequest(urn=NOWHERE))
    assert "aws:moon/base:Base" in answer.failures[0].reason
    inputs = wire.to_struct({"pw": wire.secret(MARKER)})
    kept = provider.Check(provider_pb2.CheckRequest(urn=URN, news=inputs))
    assert kept.inputs == inputs
    assert not kept.failures


def test_a_data_source_is_answered_and_an_unknown_one_named(provider: Any) -> None:
    asked = provider_pb2.InvokeRequest(tok="test:index:lookup", args=wire.to_struct({"n": 1}))
    assert wire.from_struct(getattr(provider.Invoke(asked), "return")) == {"answer": 2}
    refused = provider.Invoke(provider_pb2.InvokeRequest(tok="test:index:nothing"))
    assert "test:index:nothing" in refused.failures[0].reason


def test_a_failing_handler_ends_as_one_status_without_the_secret(provider: Any, cloud: Things) -> None:
    def refuse(name: str, inputs: dict[str, Any]) -> Any:
        raise ValueError(f"cannot take {inputs['password']}")

    cloud.create = refuse  # type: ignore[method-assign]
    with pytest.raises(grpc.RpcError) as caught:
        create(provider, {"password": wire.secret(MARKER)})
    assert caught.value.details() == "ValueError: cannot take [secret]"


def test_handshake_and_configuration_promise_secrets_and_previews(provider: Any) -> None:
    assert provider.Handshake(provider_pb2.ProviderHandshakeRequest()).accept_secrets
    configured = provider.Configure(provider_pb2.ConfigureRequest())
    assert configured.acceptSecrets
    assert configured.supportsPreview
    assert provider.GetPluginInfo(empty_pb2.Empty()).version == "7.0.0"


def test_another_stack_is_previewed_but_neither_read_nor_changed(cloud: Things, tmp_path: Path) -> None:
    servicer = Provider({TYPE: cloud}, {}, "7.0.0", tmp_path, "local")
    add = partial(provider_pb2_grpc.add_ResourceProviderServicer_to_server, servicer)
    own: dict[str, Any] = {"id": "a", "urn": URN.replace(":dev:", ":local:")}
    with serve(add) as address, grpc.insecure_channel(address) as channel:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        assert create(stub, {"size": 1}, preview=True).id == ""
        refused = (
            lambda: create(stub, {"size": 1}),
            lambda: stub.Update(provider_pb2.UpdateRequest(id="a", urn=URN)),
            lambda: stub.Read(provider_pb2.ReadRequest(id="a", urn=URN)),
            lambda: stub.Delete(provider_pb2.DeleteRequest(id="a", urn=URN)),
        )
        for call in refused:
            with pytest.raises(grpc.RpcError, match="apply stack local only; take them off the PATH to apply dev"):
                call()
        assert cloud.log == []
        stub.Create(provider_pb2.CreateRequest(urn=own["urn"]))
        assert stub.Read(provider_pb2.ReadRequest(**own)).id == "a"
        stub.Delete(provider_pb2.DeleteRequest(**own))
        assert cloud.log == ["create a", "delete a"]


def test_a_label_that_the_command_keeps_as_a_secret_is_readable_in_messages(provider: Any, cloud: Things) -> None:
    def refuse(id_: str, outputs: dict[str, Any]) -> None:
        raise ValueError(f"cannot delete analytics-signing-key of team-22 with {outputs['password']}")

    cloud.delete = refuse  # type: ignore[method-assign]
    outputs = {"labels": wire.secret({"owner": "analytics", "team": "team-22"}), "password": wire.secret(MARKER)}
    given = {"tags": {"team": "team-22"}, "password": wire.secret(MARKER)}
    request = provider_pb2.DeleteRequest(
        id="a", urn=URN, properties=wire.to_struct(outputs), old_inputs=wire.to_struct(given)
    )
    with pytest.raises(grpc.RpcError) as caught:
        provider.Delete(request)
    assert caught.value.details() == "ValueError: cannot delete analytics-signing-key of team-22 with [secret]"
