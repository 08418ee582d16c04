"""The stack's functions as the benchmark handles them: published anew to be cold, led through proxies; their reports.

An invocation's time is what the emulator writes into its REPORT line: wall time with the start of the process, on this
machine's whole processor. AWS bills the same line, measured on the share of a processor that the memory buys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keyturn.cloud import client
from keyturn.stack import LIVE, Stack

KINDS = ("aws", "vault", "gcp", "control")
# Changes with every publication: unchanged code and configuration would give the same version, still warm.
_FRESH = "KEYTURN_BENCH_FRESH"
_ENDPOINT = "AWS_ENDPOINT_URL"
_BILLED = re.compile(r"Billed Duration: (\d+) ms")
# What CloudWatch Logs adds to each event before it bills the bytes (its documentation of PutLogEvents).
EVENT_BYTES = 26
# An invocation of control that is no phase: somebody asked for a verb.
VERB = "verb"


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One invocation: `what` is the phase, or `verb`; `calls` by kind as the function counted them."""

    function: str
    what: str
    billed_ms: int
    memory_mb: int
    log_bytes: int
    calls: Mapping[str, int] = field(default_factory=dict)

    @property
    def gb_seconds(self) -> float:
        """What Lambda bills beside the request."""
        return self.billed_ms / 1_000 * self.memory_mb / 1_024


class Functions:
    """The functions of `stack`."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._lambda = client(stack, "lambda")
        self._logs = client(stack, "logs")
        self._published = 0
        self._seen: set[str] = set()
        self._memory = {
            kind: int(self._lambda.get_function_configuration(FunctionName=stack.function(kind))["MemorySize"])
            for kind in KINDS
        }

    def refresh(self, endpoints: Mapping[str, str] | None = None) -> None:
        """A new version of each behind the alias, so that the next invocation is cold; `endpoints`: AWS by function."""
        self._published += 1
        for kind in KINDS:
            self._publish(kind, (endpoints or {}).get(kind))

    def _publish(self, kind: str, endpoint: str | None) -> None:
        name = self._stack.function(kind)
        variables = self._lambda.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        variables = {key: text for key, text in variables.items() if key != _ENDPOINT}
        variables |= {_FRESH: str(self._published)} | ({_ENDPOINT: endpoint} if endpoint else {})
        before = self._lambda.get_alias(FunctionName=name, Name=LIVE)["FunctionVersion"]
        self._lambda.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        version = self._lambda.publish_version(FunctionName=name)["Version"]
        self._lambda.update_alias(FunctionName=name, Name=LIVE, FunctionVersion=version)
        # its process would stay for good
        self._lambda.delete_function(FunctionName=name, Qualifier=before)

    def invocations(self) -> list[Invocation]:
        """Those since the last time, each function's in order: the emulator keeps one log stream per invocation."""
        return [one for kind in KINDS for one in self._of(kind)]

    def _of(self, kind: str) -> list[Invocation]:
        group = f"/aws/lambda/{self._stack.function(kind)}"
        pages = self._logs.get_paginator("describe_log_streams").paginate(logGroupName=group)
        streams = [stream for page in pages for stream in page["logStreams"]]
        new = [stream for stream in streams if stream["arn"] not in self._seen]
        self._seen.update(stream["arn"] for stream in new)
        return [
            self._read(kind, group, stream["logStreamName"])
            for stream in sorted(new, key=lambda stream: stream.get("firstEventTimestamp") or 0)
        ]

    def _read(self, kind: str, group: str, stream: str) -> Invocation:
        events = self._logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
        return parsed(kind, self._memory[kind], [event["message"] for event in events])


def parsed(function: str, memory_mb: int, messages: list[str]) -> Invocation:
    """An invocation from what it logged; a ValueError without a REPORT line."""
    billed = [found for message in messages if (found := _BILLED.search(message))]
    if len(billed) != 1:
        raise ValueError(f"an invocation of {function} has {len(billed)} REPORT lines")
    told = [line for message in messages if (line := _document(message)).get("phase")]
    last = told[-1] if told else {}
    return Invocation(
        function=function,
        what=str(last.get("phase", VERB)),
        billed_ms=int(billed[0].group(1)),
        memory_mb=memory_mb,
        log_bytes=sum(len(message.encode()) + EVENT_BYTES for message in messages),
        calls={name: int(count) for name, count in (last.get("calls") or {}).items()},
    )


def _document(message: str) -> dict[str, Any]:
    """A line of ours; the platform's own are no JSON."""
    try:
        found = json.loads(message)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
