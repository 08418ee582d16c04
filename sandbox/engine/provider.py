"""The same handlers behind Pulumi's provider protocol, so that the real `pulumi` command applies to the sandbox.

A raw servicer, because the SDK's own provider helpers break on assets and unknown values. Replacement always
deletes first: a handler names by logical name, so old and new could not stand beside each other. Secrets and assets
keep the form in which the command sent them. Any stack may be previewed, one may be applied: the sandbox is no place
for another stack's resources, and its refresh would find none of them. Deliberately not here: the process around it
(`plugin.py`).
"""
# ruff: noqa: N802, ARG002  # method names and arguments are the protocol's

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.engine import default_tags, diff, urn, wire
from sandbox.engine.sealing import Sealer
from sandbox.handlers.contract import Handler, Handlers, Invokes

_Call = TypeVar("_Call", bound=Callable[..., Any])
_KINDS = provider_pb2.PropertyDiff


def _told(call: _Call) -> _Call:
    """Whatever a handler raises ends as one clean status, without a value and without a traceback."""

    @functools.wraps(call)
    def answered(self: Provider, request: Any, context: Any) -> Any:
        try:
            return call(self, request, context)
        except Exception as error:  # noqa: BLE001  # the boundary of the server
            said = self.scrub(f"{type(error).__name__}: {error}")
        return context.abort(grpc.StatusCode.UNKNOWN, said)

    return answered  # type: ignore[return-value]  # the same signature, wrapped


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One package's provider. Relative asset paths are below `root`, the folder in which the command runs.

    `stack`: the only one that is read or changed here; empty for any.
    """

    def __init__(self, handlers: Handlers, invokes: Invokes, version: str, root: Path, stack: str = "") -> None:
        self._handlers = handlers
        self._invokes = invokes
        self._version = version
        self._root = root
        self._stack = stack
        # the key is of no use here: nothing is stored, only secrets are looked for in messages
        self._sealer = Sealer("", root)
        self._default_tags: dict[str, str] = {}

    def scrub(self, text: str) -> str:
        """`text` without any secret that was seen."""
        return self._sealer.scrub(text)

    def Handshake(self, request: Any, context: Any) -> Any:
        """Secrets are understood; resource references and output values are not."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """The version of the SDK that the program uses."""
        return plugin_pb2.PluginInfo(version=self._version)

    def GetSchema(self, request: Any, context: Any) -> Any:
        """No schema: the SDKs are generated already."""
        return provider_pb2.GetSchemaResponse(schema="{}")

    def Attach(self, request: Any, context: Any) -> Any:
        """Nothing to attach to."""
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        """Calls are short; the one under way ends."""
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        """Any provider configuration is right: the sandbox's own facts are used."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        """A changed provider configuration never replaces anything."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:
        """As in the handshake; previews are answered here. Of the configuration only default tags matter."""
        self._default_tags = default_tags.of_provider(wire.from_struct(request.args))
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    @_told
    def Check(self, request: Any, context: Any) -> Any:
        """Refuse a type that the sandbox cannot make; the inputs stay as they are, but for default tags."""
        type_ = urn.parse(request.urn).type
        if type_ in self._handlers:
            inputs = default_tags.merged(wire.from_struct(request.news), self._default_tags, self._handlers[type_])
            return provider_pb2.CheckResponse(inputs=wire.to_struct(inputs))
        reason = f"the sandbox cannot make {type_}; add a handler for it to sandbox/handlers"
        return provider_pb2.CheckResponse(failures=[provider_pb2.CheckFailure(reason=reason)])

    @_told
    def Diff(self, request: Any, context: Any) -> Any:
        """What differs between the inputs of last time and now; unknown values count as different."""
        replace_on = self._handler(request.urn).replace_on
        old, new = self._comparable(request.old_inputs), self._comparable(request.news)
        differing = sorted(diff.changed(old, new) - set(request.ignoreChanges))
        replaces = [key for key in differing if key in replace_on]
        response = provider_pb2.DiffResponse
        return response(
            changes=response.DIFF_SOME if differing else response.DIFF_NONE,
            diffs=differing,
            replaces=replaces,
            deleteBeforeReplace=bool(replaces),
            hasDetailedDiff=True,
            detailedDiff={key: _difference(key, old, new, replaces) for key in differing},
        )

    @_told
    def Create(self, request: Any, context: Any) -> Any:
        """Make or adopt; in a preview the computed outputs are unknown."""
        handler, inputs = self._handler(request.urn), self._received(request.properties)
        if request.preview:
            unknown = {key: wire.UNKNOWN for key in handler.computed if key not in inputs}
            return provider_pb2.CreateResponse(properties=wire.to_struct({**inputs, **unknown}))
        self._refuse_other_stack(request.urn)
        id_, outputs = handler.create(urn.parse(request.urn).name, self._plain(inputs))
        return provider_pb2.CreateResponse(id=id_, properties=self._sent(outputs, inputs))

    @_told
    def Update(self, request: Any, context: Any) -> Any:
        """Change in place."""
        new = self._received(request.news)
        old = self._answered(request.olds, request.old_inputs)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=wire.to_struct({**old, **new}))
        self._refuse_other_stack(request.urn)
        outputs = self._handler(request.urn).update(request.id, self._plain(old), self._plain(new))
        return provider_pb2.UpdateResponse(properties=self._sent(outputs, new))

    @_told
    def Read(self, request: Any, context: Any) -> Any:
        """Refresh, or `Type.get`; an empty id says that the resource is gone."""
        self._refuse_other_stack(request.urn)
        inputs = self._received(request.inputs)
        found = self._handler(request.urn).read(request.id, self._plain(inputs))
        if found is None:
            return provider_pb2.ReadResponse()
        outputs = wire.outputs(found, inputs, self._root)
        seen = {key: outputs[key] for key in inputs if key in outputs} if inputs else outputs
        return provider_pb2.ReadResponse(id=request.id, properties=wire.to_struct(outputs), inputs=wire.to_struct(seen))

    @_told
    def Delete(self, request: Any, context: Any) -> Any:
        """Remove; nothing there is success."""
        self._refuse_other_stack(request.urn)
        outputs = self._answered(request.properties, request.old_inputs)
        self._handler(request.urn).delete(request.id, self._plain(outputs))
        return empty_pb2.Empty()

    @_told
    def Invoke(self, request: Any, context: Any) -> Any:
        """Answer a data source."""
        if request.tok not in self._invokes:
            reason = f"the sandbox cannot answer {request.tok}; add it to the invokes of sandbox/handlers"
            return provider_pb2.InvokeResponse(failures=[provider_pb2.CheckFailure(reason=reason)])
        answer = self._invokes[request.tok](self._plain(self._received(request.args)))
        return provider_pb2.InvokeResponse(**{"return": self._sent(answer, {})})

    def _handler(self, name: str) -> Handler:
        return self._handlers[urn.parse(name).type]

    def _refuse_other_stack(self, name: str) -> None:
        stack = urn.parse(name).stack
        if self._stack not in ("", stack):
            raise ValueError(
                f"the sandbox's plugins apply stack {self._stack} only; take them off the PATH to apply {stack}"
            )

    def _received(self, struct: Any) -> wire.Wire:
        received = wire.from_struct(struct)
        self._sealer.learn(received)
        return received

    def _answered(self, struct: Any, given: Any) -> wire.Wire:
        """What this provider answered earlier: the command marks more of it as secret than ever was one."""
        answered = wire.from_struct(struct)
        self._sealer.learn_answer(answered, self._received(given))
        return answered

    def _plain(self, properties: wire.Wire) -> dict[str, Any]:
        return {key: wire.plain(value, self._root) for key, value in properties.items()}

    def _sent(self, outputs: dict[str, Any], inputs: wire.Wire) -> Any:
        return wire.to_struct(wire.outputs(outputs, inputs, self._root))

    def _comparable(self, struct: Any) -> dict[str, Any]:
        return {key: _without_envelopes(value) for key, value in self._received(struct).items()}


def _without_envelopes(value: Any) -> Any:
    """Secrets opened, assets by the hash that the command computed (their path does not matter)."""
    mark = wire.signature(value)
    if mark in (wire.SECRET, wire.OUTPUT):
        return _without_envelopes(value.get("value", wire.UNKNOWN))
    if mark in (wire.ASSET, wire.ARCHIVE) and value.get("hash"):
        return {wire.SIGNATURE: mark, "hash": value["hash"]}
    if isinstance(value, dict):
        return {key: _without_envelopes(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_envelopes(item) for item in value]
    return value


def _difference(key: str, old: dict[str, Any], new: dict[str, Any], replaces: list[str]) -> Any:
    replaced = key in replaces
    if old.get(key) is None:
        kind = _KINDS.ADD_REPLACE if replaced else _KINDS.ADD
    elif new.get(key) is None:
        kind = _KINDS.DELETE_REPLACE if replaced else _KINDS.DELETE
    else:
        kind = _KINDS.UPDATE_REPLACE if replaced else _KINDS.UPDATE
    return provider_pb2.PropertyDiff(kind=kind, inputDiff=True)
