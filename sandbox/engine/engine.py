"""Applying a Pulumi program without the `pulumi` command: `apply`, `preview` and `destroy`.

The order is what keeps things safe: the whole program runs first, each step saved as it happens; only when it ended
well, registered something and delivered its stack outputs is anything deleted that it declares no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from pulumi.runtime.proto import engine_pb2_grpc, resource_pb2_grpc

from sandbox.engine import removal
from sandbox.engine.deployment import Deployment, Result, Step
from sandbox.engine.errors import EngineError, ProgramFailed
from sandbox.engine.monitor import Log, Monitor
from sandbox.engine.runner import Job, run_program
from sandbox.engine.sealing import Sealer, readable
from sandbox.engine.server import serve
from sandbox.engine.state import State, exclusive, load
from sandbox.handlers.contract import Handlers, Invokes

# ten times and more what a program of 150 resources takes
DEFAULT_TIMEOUT_S = 120.0
_Listener = Callable[[Step], None] | None


def apply(  # noqa: PLR0913, PLR0917  # one fact of the run each; callers name them
    program: Path,
    project: str,
    stack: str,
    state: Path,
    config: Mapping[str, str],
    handlers: Handlers,
    invokes: Invokes,
    on_step: _Listener = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    secret_config: frozenset[str] = frozenset(),
) -> Result:
    """Make the cloud what `program` declares.

    Args:
        program: the program's file, run by path with its folder as working folder; a folder means its `__main__.py`.
        project: the project's name, used in URNs and for configuration keys without a namespace.
        stack: the stack's name.
        state: the stack's state file; made when absent, readable by the owner only.
        config: configuration; keys are `name` or `namespace:name`.
        handlers: what can be made, by type token.
        invokes: what can be asked, by invoke token.
        on_step: told of every finished step, one call at a time.
        timeout_s: seconds for the program; what it had registered by then stays.
        secret_config: the keys of `config` whose values are secret: they are kept out of state, result and messages.

    Returns:
        The operation per URN, the stack's outputs, the declared resources and the program's warnings.

    Raises:
        EngineError: a resource failed or was refused; the state holds what was done, and a repeated call goes on.
        ProgramFailed: the program itself failed; nothing was deleted.
    """
    with exclusive(state):
        run = _deployment(load(state, project, stack), program, handlers, invokes)
        run.on_step = on_step
        _declare(run, program, _Configuration(project, config, secret_config), timeout_s)
        removal.remove_unclaimed(run)
        run.state.save()
    return _result(run)


def preview(  # noqa: PLR0913, PLR0917  # as `apply`
    program: Path,
    project: str,
    stack: str,
    state: Path,
    config: Mapping[str, str],
    handlers: Handlers,
    invokes: Invokes,
    on_step: _Listener = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    secret_config: frozenset[str] = frozenset(),
) -> Result:
    """What `apply` would do, without doing it: no handler creates, updates or deletes, and no state file is written.

    Handlers are asked for `replace_on` and `computed`, and read what the program itself reads; invokes are called.
    What only the cloud can know is `UNKNOWN` in the result. Arguments and errors as for `apply`.
    """
    run = _deployment(load(state, project, stack, durable=False), program, handlers, invokes)
    run.on_step = on_step
    _declare(run, program, _Configuration(project, config, secret_config), timeout_s)
    removal.remove_unclaimed(run)
    return _result(run)


def destroy(
    project: str,
    stack: str,
    state: Path,
    handlers: Handlers,
    on_step: _Listener = None,
) -> Result:
    """Delete everything that the state holds, dependants first; refused as a whole if something is protected.

    Raises:
        EngineError: `protected`, or a deletion failed; what is left stays in the state, and repeating the call goes on.
    """
    with exclusive(state):
        run = _deployment(load(state, project, stack), state, handlers, {})
        run.on_step = on_step
        removal.remove_unclaimed(run)
        run.state.outputs = {}
        run.state.save()
    return _result(run)


class _Configuration:
    """Configuration with qualified keys, and which of them are secret."""

    def __init__(self, project: str, config: Mapping[str, str], secret: frozenset[str]) -> None:
        self.values = {_qualified(project, key): value for key, value in config.items()}
        self.secret = sorted(_qualified(project, key) for key in secret)


def _qualified(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _deployment(state: State, program: Path, handlers: Handlers, invokes: Invokes) -> Deployment:
    root = _file(program).parent
    return Deployment(
        state=state,
        sealer=Sealer(state.key, root),
        handlers=handlers,
        invokes=invokes,
        root=root,
        effects=state.durable,
    )


def _file(program: Path) -> Path:
    resolved = program.resolve()
    return resolved / "__main__.py" if resolved.is_dir() else resolved


def _declare(run: Deployment, program: Path, config: _Configuration, timeout_s: float) -> None:
    """Run the program against the engine; the engine's own first failure outranks what the program said of it."""
    file = _file(program)
    if not file.is_file():
        raise EngineError("no_program", f"there is no program {file.name} to run", "give the path of its `__main__.py`")
    run.sealer.learn({key: config.values[key] for key in config.secret if key in config.values}, inside=True)
    servicers = (
        partial(resource_pb2_grpc.add_ResourceMonitorServicer_to_server, Monitor(run)),
        partial(engine_pb2_grpc.add_EngineServicer_to_server, Log(run)),
    )
    failed: ProgramFailed | None = None
    with serve(*servicers) as address:
        try:
            run_program(_job(run, file, address, config), timeout_s, run.sealer.scrub)
        except ProgramFailed as error:
            failed = error
    problem = run.failure or failed
    if problem is not None:
        raise problem
    _refuse_incomplete(run)


def _job(run: Deployment, file: Path, address: str, config: _Configuration) -> Job:
    return Job(
        program=str(file),
        project=run.state.project,
        stack=run.state.stack,
        engine=address,
        preview=not run.effects,
        config=config.values,
        secret_config=config.secret,
    )


def _refuse_incomplete(run: Deployment) -> None:
    if not run.outputs_arrived:
        raise ProgramFailed("no_outputs", "the program ended without its stack outputs; nothing was deleted")
    if not run.claimed:
        remedy = "use `destroy` to delete a whole stack"
        raise EngineError("nothing_declared", "the program declared no resource; nothing was deleted", remedy)


def _result(run: Deployment) -> Result:
    return Result(
        ops=dict(run.ops),
        outputs=readable(run.state.outputs),
        resources=tuple(sorted(run.recorded, key=lambda recorded: recorded.urn)),
        messages=tuple(run.messages),
    )
