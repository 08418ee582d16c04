"""Control's two ports on AWS: Step Functions for the machines, Lambda's alias for the version a run is pinned to."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from rotation.calls import Caller, Kind
from rotation.errors import KeyturnError, NotFound, Refused, Unavailable
from rotation.handwork import VERSIONS, Versions
from rotation.inspection import INSPECT, Inspected
from rotation.invocation import Answer
from rotation.pointing import POINT, Pointed
from rotation.probing import PROBE, Probed
from rotation.steps.publish import SEND_AGAIN

# The share of the first weighted version is drawn from this many buckets of the run's id.
_BUCKETS = 10_000
# What a person waits for a look: below the 29 s after which API Gateway gives up on a verb.
LOOK_TIMEOUT_S = 24
# Hexadecimal digits of the run's id that make the draw: 16**8 is far above the buckets.
_DRAW_DIGITS = 8
# How `KeyturnError` writes itself, and the classes that do.
_OURS = re.compile(r"(?P<message>.*) \[(?P<reason>[a-z][a-z0-9_]*)\]", re.DOTALL)
_KINDS = frozenset({kind.__name__ for kind in KeyturnError.__subclasses__()})


class StateMachines:
    """`client` is a boto3 Step Functions client; `arns` maps `rotate` and `retire` to their machines."""

    def __init__(self, client: Any, arns: Mapping[str, str], caller: Caller) -> None:
        self._client = client
        self._arns = arns
        self._caller = caller

    def start(self, machine: str, name: str, payload: Mapping[str, str]) -> str:
        """StartExecution; Conflict when the name was used before (the emulator says so also while it runs)."""
        answer = self._caller.call(
            Kind.CONTROL,
            lambda: self._client.start_execution(
                stateMachineArn=self._arns[machine], name=name, input=json.dumps(dict(payload))
            ),
        )
        return str(answer["executionArn"])

    def running(self, execution: str) -> bool:
        """DescribeExecution says RUNNING; a claim of native rotation has no execution to ask and counts as ended."""
        if not execution.startswith("arn:"):
            return False
        try:
            answer = self._caller.call(Kind.CONTROL, lambda: self._client.describe_execution(executionArn=execution))
        except NotFound:
            return False
        return bool(answer["status"] == "RUNNING")


class PinnedFunctions:
    """`client` is a boto3 Lambda client; `names` maps a store to its function; `alias` is the one deployments move."""

    def __init__(self, client: Any, names: Mapping[str, str], alias: str, caller: Caller) -> None:
        self._client = client
        self._names = names
        self._alias = alias
        self._caller = caller

    def pin(self, store: str, run_id: str) -> str:
        """One version for the whole run: a weighted alias would split it per invocation."""
        if store not in self._names:
            raise Refused("unknown_store", f"no function serves the store `{store}`", "check the policy's store")
        name = self._names[store]
        answer = self._caller.call(Kind.CONTROL, lambda: self._client.get_alias(FunctionName=name, Name=self._alias))
        weights: dict[str, float] = (answer.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        version = draw(run_id, str(answer["FunctionVersion"]), weights)
        return str(answer["AliasArn"]).rsplit(":", 1)[0] + f":{version}"

    def inspect(self, function: str, run_id: str) -> Inspected:
        """Invoke and wait, once: a look takes a few reads and probes, and a person waits for it."""
        inspected: Inspected = self._look(function, {"phase": INSPECT, "run_id": run_id})
        return inspected

    def probe(self, function: str, secret: str) -> Probed:
        """As `inspect`: once, because a target that does not answer takes its time already."""
        probed: Probed = self._look(function, {"phase": PROBE, "secret": secret})
        return probed

    def point(self, function: str, secret: str) -> Pointed:
        """As `inspect`: once, the next sweep looks again."""
        pointed: Pointed = self._look(function, {"phase": POINT, "secret": secret})
        return pointed

    def versions(self, function: str, secret: str) -> Versions:
        """As `probe`: one read of the store."""
        versions: Versions = self._look(function, {"phase": VERSIONS, "secret": secret})
        return versions

    def send_again(self, function: str, run_id: str, step: str, *, wait: bool) -> Answer:
        """Invoke; waited for once, else queued by Lambda, which tries it again by itself."""
        event = {"phase": SEND_AGAIN, "run_id": run_id, "step": step}
        if wait:
            said = self._look(function, event)
            return Answer(outcome=str(said["outcome"]), reason=str(said["reason"]))
        self._invoke(function, event, "Event")
        return Answer(outcome="passed", reason="")

    def _look(self, function: str, event: Mapping[str, str]) -> Any:
        answer = self._invoke(function, event, "RequestResponse")
        said = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise _unseen(said)
        return said

    def _invoke(self, function: str, event: Mapping[str, str], kind: str) -> Any:
        payload = json.dumps(dict(event)).encode()

        def invoke() -> Any:
            return self._client.invoke(FunctionName=function, InvocationType=kind, Payload=payload)

        return self._caller.call(Kind.CONTROL, invoke, idempotent=False)


def _unseen(said: Mapping[str, Any]) -> KeyturnError:
    """Why the function could not look. An error of ours says so itself; any other's text may quote anything."""
    found = _OURS.fullmatch(str(said.get("errorMessage", "")))
    if found and said.get("errorType") in _KINDS:
        return Unavailable(found["reason"], found["message"])
    return Unavailable("inspection_failed", "the store's function could not look; its log says why")


def draw(run_id: str, main: str, weights: Mapping[str, float]) -> str:
    """The version a run gets: the same for the same run, in proportion to the weights over many runs."""
    point = int(run_id[:_DRAW_DIGITS], 16) % _BUCKETS / _BUCKETS
    for version, weight in sorted(weights.items()):
        if point < weight:
            return version
        point -= weight
    return main
