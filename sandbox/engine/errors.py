"""What the local engine refuses or could not do; the command reports these like every other error of the project.

A message names the resource and never holds a value: texts from programs and handlers are scrubbed before they get
here.
"""

from __future__ import annotations

from rotation.errors import KeyturnError


class EngineError(KeyturnError):
    """The engine refused, or a resource failed. `reason` tells which; nothing was deleted unless a step said so."""


class ProgramFailed(EngineError):
    """The program raised, left early or ran out of time. What it had made is in the state; nothing was deleted."""
