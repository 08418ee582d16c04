"""A world whose policy asks for approval: executions wait by a token, and go on as the machine does once answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rotation.control.desk import run_id_of
from rotation.control.sweep import sweep
from rotation.control.table import PHASES, VERBS
from rotation.errors import Unavailable
from rotation.invocation import Answer
from rotation.phases import ROTATE, Outcome, active, phase_named
from rotation.policy import Approval, Policy
from tests.model.world import NAME, POLICY, ModelCatalogue, World

EXPIRES_S = 3_600
ASKED_BY = "arn:aws:iam::000000000000:user/alice"
APPROVED = replace(POLICY, approval=Approval(approvers=("lead", "duty"), expires_s=EXPIRES_S))


def session(role: str, name: str) -> str:
    return f"arn:aws:sts::000000000000:assumed-role/{role}/{name}"


LEAD, DUTY = session("lead", "bob"), session("duty", "carol")


class ModelTokens:
    """What each token was answered; `broken` answers nobody."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, Answer]] = []
        self.broken = False

    def answer(self, token: str, answer: Answer) -> None:
        if self.broken:
            raise Unavailable("aws_unreachable", "AWS did not answer")
        self.answers.append((token, answer))


class ModelNotices:
    """What people were told; `taken` is whether it arrives."""

    channel = "model"

    def __init__(self) -> None:
        self.said: list[str] = []
        self.taken = True

    def say(self, text: str) -> bool:
        self.said.append(text)
        return self.taken


class ApprovalWorld(World):
    """The policy in force can be changed; `requested_by` of a run is who asked for it."""

    def __init__(self, policy: Policy = APPROVED) -> None:
        super().__init__()
        self.tokens, self.notices = ModelTokens(), ModelNotices()
        self.deploy(policy)

    def deploy(self, *policies: Policy) -> None:
        catalogue: Any = ModelCatalogue({one.name: one for one in policies})
        self.desk = replace(self.desk, catalogue=catalogue, tokens=self.tokens, notices=self.notices)

    def begin(self, execution: str, **asked: str) -> str:
        """An execution up to where it waits; its run."""
        given = self.given(execution, **{"requested_by": ASKED_BY, **asked})
        self.machines.alive.add(execution)
        assert self.enter(phase_named("claim"), given)[0] == Outcome.APPROVAL
        run_id = given["resume"] or run_id_of(execution)
        self.wait(execution, run_id)
        return run_id

    def wait(self, execution: str, run_id: str, token: str = "") -> None:
        """The state that waits: its invocation gets the token, which nobody may see."""
        event = {"phase": "approve", "execution": execution, "secret": NAME, "run_id": run_id}
        PHASES["approve"](self.desk, {**event, "token": token or f"token of {execution}"})

    def go_on(self, execution: str, **asked: str) -> str:
        """The machine goes on with its token's last answer; how the run stands then."""
        given = self.given(execution, **{"requested_by": ASKED_BY, **asked})
        answer = next(said for token, said in reversed(self.tokens.answers) if token == f"token of {execution}")
        if answer["outcome"] == Outcome.PASSED:
            self._phases(active(ROTATE)[1:], given)
        else:
            self._fail(phase_named("approve"), answer["reason"], given)
        self.machines.alive.discard(execution)
        return self.ledger.run(given["resume"] or run_id_of(execution))[0].status

    def say(self, verb: str, run_id: str, actor: str = LEAD, reason: str = "looked at it") -> dict[str, Any]:
        said: dict[str, Any] = VERBS[verb](self.desk, {"run_id": run_id, "reason": reason, "requested_by": actor})
        return said

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = VERBS["approvals"](self.desk, {})
        return found

    def sweep(self) -> None:
        sweep(self.desk)

    def failure(self, run_id: str) -> Mapping[str, str]:
        return self.ledger.run(run_id)[0].failure

    def shown(self) -> str:
        """Everything that anybody can see, as text."""
        seen = [VERBS["status"](self.desk, {"secrets": []}), VERBS["history"](self.desk, {"secret": NAME})]
        return json.dumps([seen, self.listed(), self.notices.said])
