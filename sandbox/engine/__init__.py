"""A local engine for Pulumi programs: applies the real program to the sandbox, without the `pulumi` command.

Deliberately not here: history, encryption with a secrets provider, policy packs, imports, hooks and transforms; the
real command has them, and `provider.py` serves it with the same handlers.
"""

from sandbox.engine.deployment import Op, Recorded, Result, Step
from sandbox.engine.engine import apply, destroy, preview
from sandbox.engine.errors import EngineError, ProgramFailed
from sandbox.engine.wire import UNKNOWN

__all__ = [
    "UNKNOWN",
    "EngineError",
    "Op",
    "ProgramFailed",
    "Recorded",
    "Result",
    "Step",
    "apply",
    "destroy",
    "preview",
]
