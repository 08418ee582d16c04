"""Everything of a deployed stack that is written down outside the stores, as texts with the place they are from.

One function per kind of surface; `find` looks for markers in all of them. Not here: the stores themselves, and the
targets' own keeping of what they accept.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runs_messages import messages
from runs_stack import LEDGER, Stack

Texts = Iterator[tuple[str, str]]


def find(stack: Stack, wanted: Mapping[str, str], kinds: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Places that hold one of the `wanted` texts, with the name of its form; never the text itself."""
    places = (place for kind in kinds or SURFACES for place in SURFACES[kind](stack))
    return [(where, form) for where, text in places for marker, form in wanted.items() if marker in text]


def logs(stack: Stack) -> Texts:
    """Every log group of CloudWatch: functions and machines."""
    client = stack.aws("logs")
    for page in client.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for events in client.get_paginator("filter_log_events").paginate(logGroupName=name):
                yield name, "\n".join(event["message"] for event in events["events"])


def executions(stack: Stack) -> Texts:
    """Every execution of every machine: input, output, error, and its whole history with data."""
    client = stack.aws("stepfunctions")
    for machine in client.list_state_machines()["stateMachines"]:
        pages = client.get_paginator("list_executions").paginate(stateMachineArn=machine["stateMachineArn"])
        for arn in (execution["executionArn"] for page in pages for execution in page["executions"]):
            yield arn, _plain(client.describe_execution(executionArn=arn))
            histories = client.get_paginator("get_execution_history")
            for page in histories.paginate(executionArn=arn, includeExecutionData=True):
                yield arn, _plain(page["events"])


def ledger(stack: Stack) -> Texts:
    """Every row of the ledger."""
    for page in stack.aws("dynamodb").get_paginator("scan").paginate(TableName=LEDGER):
        for row in page["Items"]:
            yield f"ledger {row['pk']['S']} {row['sk']['S']}", _plain(row)


def objects(stack: Stack) -> Texts:
    """Every version of every object of every bucket: the catalogue, and the functions' zips, unpacked."""
    client, seen = stack.aws("s3"), set[int]()
    for bucket in (found["Name"] for found in client.list_buckets()["Buckets"]):
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for version in page.get("Versions", []):
                where = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
                yield from _unpacked(f"{bucket}/{version['Key']}", client.get_object(**where)["Body"].read(), seen)


def queues(stack: Stack) -> Texts:
    """Every message of every queue, dead letters included."""
    for name, bodies in messages(stack).items():
        yield name, "\n".join(bodies)


def files(stack: Stack) -> Texts:
    """Logs of all servers (PostgreSQL logs every statement), audit device, the engine's state, facts."""
    layout = stack.layout
    for path in (layout.facts, *_below(layout.logs), *_below(layout.engine)):
        yield str(path.relative_to(layout.root)), path.read_text(encoding="utf-8", errors="replace")


SURFACES: dict[str, Callable[[Stack], Texts]] = {
    "logs": logs,
    "executions": executions,
    "ledger": ledger,
    "objects": objects,
    "queues": queues,
    "files": files,
}


def _plain(found: Any) -> str:
    """As text; what is a document inside a string keeps its own escapes, which the markers know."""
    return json.dumps(found, default=str)


def _below(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def _unpacked(where: str, content: bytes, seen: set[int]) -> Texts:
    """`seen`: hashes of the files of zips that need no second look; the functions share most of theirs."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        yield where, content.decode("utf-8", errors="replace")
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            packed = archive.read(name)
            if hash(packed) not in seen:
                seen.add(hash(packed))
                yield f"{where}!{name}", packed.decode("utf-8", errors="replace")
