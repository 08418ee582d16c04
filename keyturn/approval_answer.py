"""What control answers of a run's request for approval, parsed like every answer: frozen, deaf to what is new in it.

Apart from `answers`, whose runs are shown with it. Never holds the token by which the run waits.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Approval(BaseModel):
    """A run's request for approval. status: `waiting`, `approved`, `denied`, `expired`, `withdrawn`, `done`.

    outcome, cause: what the machine is told; delivered: it has been told. by, why: of whoever answered. told: approvers
    have been, by message.
    kind: `approval`, or `reminder` of what a person does by hand, which ends with the `version` that they made.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_id: str
    secret: str
    digest: str
    approvers: list[str]
    requested_by: str
    reason: str
    requested_at: datetime
    expires_at: datetime
    status: str
    by: str = ""
    why: str = ""
    answered_at: str = ""
    outcome: str = ""
    cause: str = ""
    delivered: bool = False
    told: bool = False
    kind: str = "approval"
    version: str = ""

    @property
    def waits(self) -> str:
        """For whom and until when it waits; empty once it does not."""
        if self.status != "waiting":
            return ""
        if self.kind == "reminder":
            return f"waits for a person to change it by hand, due {self.expires_at:%Y-%m-%d %H:%M:%SZ}"
        return f"waits for approval by {' or '.join(self.approvers)} until {self.expires_at:%Y-%m-%d %H:%M:%SZ}"
