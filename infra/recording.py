"""Records what the program would declare, without a cloud, a command or a network: plain dictionaries to look at.

Built on the SDK's mock monitor with what it leaves out put in: URNs with every parent's type, options (protection,
ignored changes, dependencies) read from the request itself. Not an engine: nothing is compared or applied.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import Settings, configure, mocks, rpc, set_all_config
from pulumi.runtime.settings import set_root_resource

from infra.config import PROJECT, ROOT, SANDBOX_FACTS
from infra.stack_file import stack_config
from infra.stand_ins import answer, outputs

_STACK_TYPE = "pulumi:pulumi:Stack"
# What stands for anything the program marked secret; its content is not recorded.
UNRECORDED = "<secret>"


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One registered resource. `inputs`: as on the wire, assets as objects. `depends_on` and `parent` are URNs."""

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: Mapping[str, Any]
    provider: str
    protect: bool
    ignore_changes: tuple[str, ...]
    depends_on: tuple[str, ...]


def record(
    stack: str,
    changes: Mapping[str, str | None] | None = None,
    program: Callable[[], None] | None = None,
    root: Path = ROOT,
    project: str = PROJECT,
) -> list[Recorded]:
    """Everything the program declares for `stack`, in order of registration.

    `changes` replaces configuration keys (None removes one). `root`: the folder of the project's files. A running
    sandbox is not looked at, so that two recordings are alike. Raises what the program raises.
    """
    config = stack_config(stack, root) | {key: value for key, value in (changes or {}).items() if value is not None}
    for key in [f"{PROJECT}:{SANDBOX_FACTS}", *(key for key, value in (changes or {}).items() if value is None)]:
        config.pop(key, None)
    monitor = _Monitor(stack, project)
    with _event_loop() as loop:
        set_root_resource(None)  # type: ignore[arg-type]  # none yet: the program makes it
        set_all_config(config)
        configure(_connected(monitor, stack, project))
        loop.run_until_complete(pulumi.runtime.run_in_stack(program or _whole_program))
    return monitor.recorded


@contextmanager
def _event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop for the program, and one for the single thread that answers its calls; both closed afterwards."""
    loop, answering = asyncio.new_event_loop(), asyncio.new_event_loop()
    thread = ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(answering,))
    loop.set_default_executor(thread)
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        thread.shutdown(wait=True, cancel_futures=True)
        asyncio.set_event_loop(None)
        answering.close()
        loop.close()


def _connected(monitor: mocks.MockMonitor, stack: str, project: str) -> Settings:
    # set_mocks would make a stack of its own, beside the one that run_in_stack makes
    return mocks.MockSettings(  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
        monitor=monitor,
        monitor_features=set(monitor.GetDeploymentInfo(None).supportedFeatures),  # type: ignore[no-untyped-call]
        engine=mocks.MockEngine(None),
        project=project,
        stack=stack,
        dry_run=True,
        organization="organization",
        callbacks=None,
    )


def _whole_program() -> None:
    from infra.program import declare  # noqa: PLC0415  # the program imports the providers' SDKs, which take a second

    declare()


class _Answers(mocks.Mocks):
    """What a cloud would have made up: ids, ARNs, addresses."""

    def call(self, args: mocks.MockCallArgs) -> Any:
        return answer(args.token, args.args)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return f"{args.name}-id", {**args.inputs, **outputs(args.typ, args.name, args.inputs)}


class _Monitor(mocks.MockMonitor):
    def __init__(self, stack: str, project: str) -> None:
        self.answers = _Answers()
        super().__init__(self.answers)
        self.recorded: list[Recorded] = []
        self._stack = stack
        self._project = project

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """The engine's form: every parent's type but the stack's stands before the resource's own."""
        chain = parent.split("::")[2] if parent else ""
        qualified = type_ if chain in ("", _STACK_TYPE) else f"{chain}${type_}"
        return f"urn:pulumi:{self._stack}::{self._project}::{qualified}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # the protocol's name
        """Note the request with its options, then answer as the mock does."""
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
        if request.type != _STACK_TYPE:
            self._note(request, response.urn)
        return response

    def _note(self, request: Any, urn: str) -> None:
        if any(seen.urn == urn for seen in self.recorded):
            raise ValueError(f"two resources share the URN {urn}")
        self.recorded.append(
            Recorded(
                urn=urn,
                type=request.type,
                name=request.name,
                parent=request.parent,
                custom=request.custom,
                inputs=_plain(rpc.deserialize_properties(request.object, keep_unknowns=True)),
                provider=request.provider,
                protect=request.protect,
                ignore_changes=tuple(sorted(request.ignoreChanges)),
                depends_on=tuple(sorted(request.dependencies)),
            )
        )


def _plain(value: Any) -> Any:
    if isinstance(value, dict) and rpc._special_sig_key in value:  # noqa: SLF001  # the wire's mark has no public name
        return UNRECORDED
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    # numbers cross the wire as floats
    return int(value) if isinstance(value, float) and value.is_integer() else value
