"""The exit codes, in one table, and which reason ends in which of them.

Codes are for scripts, reasons for people and metrics: a code says what may be done about it, so many reasons share
one. The help and `docs/command.md` are held to this table by a test.
"""

from __future__ import annotations

from enum import IntEnum

from rotation.errors import Denied, KeyturnError, Throttled, Unavailable


class Exit(IntEnum):
    """What the command ends with."""

    DONE = 0
    DEFECT = 1
    USAGE = 2
    UNKNOWN_SECRET = 3
    UNKNOWN_STACK = 4
    CONFIGURATION = 5
    UNREACHABLE = 6
    DENIED = 7
    THROTTLED = 8
    SANDBOX_DOWN = 9
    RUN_FAILED = 10
    BAD_POLICY = 11
    SANDBOX_HALF_UP = 12
    PORT_TAKEN = 13
    ALREADY_UP = 14
    REFUSED = 15
    WRONG_ENVIRONMENT = 16
    CHECK_FAILED = 17
    NOT_APPLIED = 18
    STACK_NOT_APPLIED = 19
    NOT_AGREED = 20
    UNDECIDABLE = 21
    POLICY_CHANGED = 22
    POLICY_WEAKER = 23
    INCOMPLETE = 24
    INTERRUPTED = 130


MEANINGS: dict[Exit, str] = {
    Exit.DONE: "done",
    Exit.DEFECT: "a defect of keyturn itself; KEYTURN_DEBUG=1 shows the traceback",
    Exit.USAGE: "the command line is wrong",
    Exit.UNKNOWN_SECRET: "no policy names that secret",
    Exit.UNKNOWN_STACK: "no such stack, nothing is deployed to it, or what is comes from another version",
    Exit.CONFIGURATION: "the configuration is wrong",
    Exit.UNREACHABLE: "a store, a target or the cloud does not answer",
    Exit.DENIED: "a store, a target or the cloud refused the identity",
    Exit.THROTTLED: "a store, a target or the cloud asked to slow down",
    Exit.SANDBOX_DOWN: "the sandbox is not up, or could not be started or stopped",
    Exit.RUN_FAILED: "a run failed, or ended without its proof",
    Exit.BAD_POLICY: "a policy is wrong, or its store cannot serve it",
    Exit.SANDBOX_HALF_UP: "the sandbox is half up",
    Exit.PORT_TAKEN: "a port that the sandbox was told to use is taken",
    Exit.ALREADY_UP: "the sandbox is up already; nothing was started",
    Exit.REFUSED: "refused or halted as things stand: a run is under way, an overlap is open, a switch or freeze is on",
    Exit.WRONG_ENVIRONMENT: "environment and credentials do not belong together",
    Exit.CHECK_FAILED: "a check of `doctor`, `verify` or `plan` failed",
    Exit.NOT_APPLIED: "the program, or its function zips, could not be built and applied to the sandbox",
    Exit.STACK_NOT_APPLIED: "the servers of the sandbox are up, the stack is not applied",
    Exit.NOT_AGREED: "nothing was changed: what was shown waits for --yes",
    Exit.UNDECIDABLE: "`repair` cannot tell what is true, or has no safe action: a person decides with what it printed",
    Exit.POLICY_CHANGED: "`policy diff`: policies differ, none is weaker",
    Exit.POLICY_WEAKER: "`policy diff`: a policy is weaker than it was",
    Exit.INCOMPLETE: "`discover`: a store, or a part of one, could not be listed",
    Exit.INTERRUPTED: "interrupted; runs that were started go on",
}

_BY_REASON: dict[str, Exit] = {
    "unknown_secret": Exit.UNKNOWN_SECRET,
    "run_unknown": Exit.UNKNOWN_SECRET,
    "unknown_stack": Exit.UNKNOWN_STACK,
    "unknown_revision": Exit.USAGE,
    "stack_not_deployed": Exit.UNKNOWN_STACK,
    "answer_not_understood": Exit.UNKNOWN_STACK,
    "unknown_verb": Exit.UNKNOWN_STACK,
    "bad_event": Exit.UNKNOWN_STACK,
    "bad_request": Exit.UNKNOWN_STACK,
    "configuration": Exit.CONFIGURATION,
    "bad_configuration": Exit.CONFIGURATION,
    "ports_malformed": Exit.CONFIGURATION,
    "environment_missing": Exit.CONFIGURATION,
    "no_credentials": Exit.DENIED,
    "endpoint_ambiguous": Exit.UNKNOWN_STACK,
    "bad_policies": Exit.BAD_POLICY,
    "bad_policy_document": Exit.BAD_POLICY,
    "unknown_credential": Exit.BAD_POLICY,
    "unknown_store": Exit.BAD_POLICY,
    "sandbox_half_up": Exit.SANDBOX_HALF_UP,
    "port_taken": Exit.PORT_TAKEN,
    "already_up": Exit.ALREADY_UP,
    "environment_mismatch": Exit.WRONG_ENVIRONMENT,
    "production_on_a_desk": Exit.WRONG_ENVIRONMENT,
    "unknown_group": Exit.UNKNOWN_SECRET,
    "bad_scope": Exit.USAGE,
    "native_scheduler": Exit.REFUSED,
    "incident_id_reused": Exit.REFUSED,
    "claim_held": Exit.REFUSED,
    "claim_lost": Exit.REFUSED,
    "overlap_open": Exit.REFUSED,
    "overlap_not_over": Exit.REFUSED,
    "no_open_overlap": Exit.REFUSED,
    "kill_switch": Exit.REFUSED,
    "switch_unreadable": Exit.REFUSED,
    "switch_changed": Exit.REFUSED,
    "head_changed": Exit.REFUSED,
    "frozen": Exit.REFUSED,
    "report_only": Exit.REFUSED,
    "bad_extension": Exit.REFUSED,
    "overlap_ending": Exit.REFUSED,
    "not_acknowledged": Exit.REFUSED,
    "unknown_version": Exit.REFUSED,
    "unknown_consumer": Exit.UNKNOWN_SECRET,
    "not_this_consumer": Exit.DENIED,
    "bad_instance": Exit.USAGE,
    "bad_lease": Exit.USAGE,
    "run_ended": Exit.REFUSED,
    "run_unfinished": Exit.REFUSED,
    "cannot_undo": Exit.REFUSED,
    "ledger_restored": Exit.REFUSED,
    "bad_time": Exit.USAGE,
    "nothing_to_roll_back": Exit.REFUSED,
    "old_leaked": Exit.REFUSED,
    "beyond_horizon": Exit.REFUSED,
    "diagnosis_changed": Exit.REFUSED,
    "nothing_to_mend": Exit.REFUSED,
    "undecidable": Exit.UNDECIDABLE,
    "approval_unknown": Exit.REFUSED,
    "approval_expired": Exit.REFUSED,
    "already_answered": Exit.REFUSED,
    "policy_changed": Exit.REFUSED,
    "denied": Exit.REFUSED,
    "outside_window": Exit.REFUSED,
    "frozen_by_policy": Exit.REFUSED,
    "group_held": Exit.REFUSED,
    "parent_due": Exit.REFUSED,
    "bad_webhook": Exit.CONFIGURATION,
    "slack_refused": Exit.CONFIGURATION,
    "catalogue_not_read": Exit.THROTTLED,
    "window_closed": Exit.REFUSED,
    "not_an_approver": Exit.DENIED,
    "requester_cannot_approve": Exit.DENIED,
    "no_reminder": Exit.REFUSED,
    "evidence_unknown": Exit.REFUSED,
    "evidence_not_current": Exit.REFUSED,
    "evidence_not_newer": Exit.REFUSED,
    "made_by_hand": Exit.REFUSED,
    "not_agreed": Exit.NOT_AGREED,
    "unauthenticated": Exit.DENIED,
    "breaker_open": Exit.UNREACHABLE,
    "target_busy": Exit.THROTTLED,
    "sandbox_not_up": Exit.SANDBOX_DOWN,
    "sandbox_damaged": Exit.SANDBOX_DOWN,
    "sandbox_busy": Exit.SANDBOX_DOWN,
    "sandbox_other_lane": Exit.SANDBOX_DOWN,
    "sandbox_not_yours": Exit.SANDBOX_DOWN,
    "not_a_sandbox": Exit.SANDBOX_DOWN,
    "part_failed": Exit.SANDBOX_DOWN,
    "part_not_ready": Exit.SANDBOX_DOWN,
    "part_not_startable": Exit.SANDBOX_DOWN,
    "part_not_stoppable": Exit.SANDBOX_DOWN,
    "postgres_needs_user": Exit.SANDBOX_DOWN,
    "drafts_unwritable": Exit.CONFIGURATION,
    "interrupted": Exit.INTERRUPTED,
}

# What `sandbox.engine` and `artefacts` say when a deployment fails.
_DEPLOYMENT = (
    "artefact_too_large",
    "asset_missing",
    "asset_unknown",
    "dependencies_unavailable",
    "duplicate_urn",
    "engine_defect",
    "handler_fails",
    "lock_missing",
    "module_missing",
    "module_unassigned",
    "no_outputs",
    "no_program",
    "not_there",
    "nothing_declared",
    "program_failed",
    "program_timeout",
    "protected",
    "resource_failed",
    "run_stopped",
    "service_undeclared",
    "source_invalid",
    "state_damaged",
    "state_locked",
    "state_of_another_stack",
    "unknown_invoke",
    "unknown_type",
    "unsupported_option",
    "uv_missing",
    "zip_missing",
)

# Providers name their reasons `<provider>_<what>`: `vault_denied`, `aws_throttled`.
_BY_ENDING: dict[str, Exit] = {
    "unreachable": Exit.UNREACHABLE,
    "unavailable": Exit.UNREACHABLE,
    "sealed": Exit.UNREACHABLE,
    "denied": Exit.DENIED,
    "throttled": Exit.THROTTLED,
}

_BY_CLASS: dict[type[KeyturnError], Exit] = {
    Denied: Exit.DENIED,
    Throttled: Exit.THROTTLED,
    Unavailable: Exit.UNREACHABLE,
}


def of_reason(reason: str, otherwise: Exit = Exit.RUN_FAILED) -> Exit:
    """The code of a reason, `otherwise` for one that has none of its own."""
    if reason in _DEPLOYMENT:
        return Exit.NOT_APPLIED
    if reason in _BY_REASON:
        return _BY_REASON[reason]
    return _BY_ENDING.get(reason.rpartition("_")[2], otherwise)


def of_error(error: KeyturnError) -> Exit:
    """The code of an error: its reason decides, then its class."""
    by_class = (code for kind, code in _BY_CLASS.items() if isinstance(error, kind))
    return of_reason(error.reason, next(by_class, Exit.RUN_FAILED))


def worst(codes: list[Exit]) -> Exit:
    """One code for several ends: the first that is not done, in the order in which things were asked for."""
    return next((code for code in codes if code is not Exit.DONE), Exit.DONE)
