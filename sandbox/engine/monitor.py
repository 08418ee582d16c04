"""The engine's side of Pulumi's protocol: what a running program registers, reads and asks.

A thin translation: requests become wishes, answers become messages, errors become a gRPC status whose text the
program shows. Features that are not advertised (transforms, hooks, packages with parameters) are refused by the SDK
itself, in words.
"""
# ruff: noqa: N802, ARG002  # method names and arguments are the protocol's

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc

from sandbox.engine import stack_reference, steps, urn, wire
from sandbox.engine.deployment import Deployment, Recorded
from sandbox.engine.errors import EngineError
from sandbox.engine.registration import urn_of, wish
from sandbox.engine.sealing import readable

_FEATURES = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
)
_GET_RESOURCE = "pulumi:pulumi:getResource"
_Answer = TypeVar("_Answer")


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Serves one run. Called from many threads at once."""

    def __init__(self, run: Deployment) -> None:
        self._run = run

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:
        """What this engine can do, and for which stack."""
        state = self._run.state
        return resource_pb2.DeploymentInfo(
            project=state.project,
            stack=state.stack,
            organization="organization",
            dryRun=not self._run.effects,
            supportedFeatures=_FEATURES,
        )

    def RegisterResource(self, request: Any, context: Any) -> Any:
        """Bring one declared resource about."""
        return self._answer(context, lambda: self._register(request))

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        """Outputs of a component, or, at the end of the program, of the stack."""
        return self._answer(context, lambda: self._outputs(request))

    def ReadResource(self, request: Any, context: Any) -> Any:
        """`Type.get(...)` and stack references: look, never change."""
        return self._answer(context, lambda: self._read(request))

    def Invoke(self, request: Any, context: Any) -> Any:
        """A data source."""
        return self._answer(context, lambda: self._invoke(request))

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:
        """The program has nothing more to say; without hooks there is nothing to wait for."""
        return empty_pb2.Empty()

    def _register(self, request: Any) -> Any:
        if request.type == urn.STACK_TYPE:
            return resource_pb2.RegisterResourceResponse(urn=urn_of(self._run, request))
        wanted = wish(self._run, request)
        id_, outputs = steps.bring_about(self._run, wanted)
        secrets = wanted.secret_outputs
        shown = {
            key: wire.secret(value) if key in secrets and not wire.has_secret(value) else value
            for key, value in outputs.items()
        }
        return resource_pb2.RegisterResourceResponse(urn=wanted.urn, id=id_, object=wire.to_struct(shown))

    def _outputs(self, request: Any) -> Any:
        run, outputs = self._run, wire.from_struct(request.outputs)
        run.sealer.learn(outputs)
        sealed = run.sealer.seal(outputs)
        with run.state.lock:
            if urn.parse(request.urn).chain == urn.STACK_TYPE:
                run.state.outputs = sealed
                run.outputs_arrived = True
            elif request.urn in run.state.resources:
                run.state.resources[request.urn].outputs = sealed
        return empty_pb2.Empty()

    def _read(self, request: Any) -> Any:
        run, name = self._run, urn_of(self._run, request)
        inputs = wire.from_struct(request.properties)
        run.sealer.learn(inputs)
        if request.type == stack_reference.TYPE:
            found: dict[str, Any] | None = stack_reference.outputs(run.state.path.parent, run.state.project, request.id)
        else:
            with run.guarded("read", name):
                found = run.handler(request.type).read(request.id, run.plain(inputs))
        if found is None:
            raise EngineError("not_there", f"{request.type} {request.id} does not exist: {name}")
        self._record_read(request, name, inputs)
        properties = wire.to_struct(wire.outputs(found, inputs, run.root, frozenset(request.additionalSecretOutputs)))
        return resource_pb2.ReadResourceResponse(urn=name, id=request.id, properties=properties)

    def _record_read(self, request: Any, name: str, inputs: wire.Wire) -> None:
        recorded = Recorded(
            urn=name,
            type=request.type,
            name=request.name,
            parent=request.parent,
            custom=True,
            inputs=readable(self._run.sealer.seal(inputs)),
            options={"id": request.id},
        )
        with self._run.lock:
            self._run.recorded.append(recorded)

    def _invoke(self, request: Any) -> Any:
        run, token = self._run, request.tok
        arguments = wire.from_struct(request.args)
        run.sealer.learn(arguments)
        if token == _GET_RESOURCE:
            entry = run.state.resources[arguments["urn"]]
            answer = {"urn": entry.urn, "id": entry.id, "state": readable(entry.outputs)}
        elif token not in run.invokes:
            remedy = "add it to the invokes of sandbox/handlers, or ask for it on other stacks only"
            raise EngineError("unknown_invoke", f"the sandbox cannot answer {token}", remedy)
        else:
            with run.guarded("invoke", token):
                answer = run.invokes[token](run.plain(arguments))
        # the field is called `return`, which cannot be written as a keyword
        fields: dict[str, Any] = {"return": wire.to_struct(wire.outputs(answer, {}, run.root))}
        return resource_pb2.ResourceInvokeResponse(**fields)

    def _answer(self, context: Any, call: Callable[[], _Answer]) -> _Answer:
        """Run one call; whatever goes wrong is kept as the run's failure and told to the program."""
        try:
            return call()
        except EngineError as error:
            failure = error
        except Exception as error:  # noqa: BLE001  # the boundary of the server: nothing may pass as a bare traceback
            said = self._run.sealer.scrub(f"{type(error).__name__}: {error}")
            failure = EngineError("engine_defect", f"the local engine itself failed: {said}")
            failure.__cause__ = error
        self._run.fail(failure)
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{failure} {failure.remedy}".strip())
        raise AssertionError("abort does not return")


class Log(engine_pb2_grpc.EngineServicer):
    """What the program logs; information and debugging are dropped, warnings and errors are kept for the result."""

    def __init__(self, run: Deployment) -> None:
        self._run = run

    def Log(self, request: Any, context: Any) -> Any:
        """Keep a warning or an error."""
        if request.severity >= engine_pb2.WARNING:
            with self._run.lock:
                self._run.messages.append(self._run.sealer.scrub(request.message))
        return empty_pb2.Empty()

    def RequirePulumiVersion(self, request: Any, context: Any) -> Any:
        """The engine speaks the protocol of the installed SDK, so any requirement that the SDK meets is met."""
        return engine_pb2.RequirePulumiVersionResponse()
