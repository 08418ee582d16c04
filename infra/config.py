"""The only reader of `pulumi.Config`: a stack's facts as frozen, typed Settings.

All problems are collected and named at once, with the nearest known key for an unknown one. On `local` the addresses
of a running sandbox (`keyturn:sandboxFacts`, a JSON file) stand in for the placeholders; without the file the
placeholders hold, so that a preview needs no sandbox. Not here: what a key may hold (`config_keys`).
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pulumi
from pulumi.runtime.config import CONFIG

from infra.config_keys import KEYS, Key
from rotation.errors import Refused

PROJECT = "keyturn"
ROOT = Path(__file__).resolve().parent.parent
SANDBOX_FACTS = "sandboxFacts"
# Which of the sandbox's facts stands for which key.
FROM_SANDBOX = {
    "awsAccount": "aws_account_id",
    "region": "aws_region",
    "awsEndpoint": "aws_endpoint",
    "vaultAddress": "vault_address",
    "googleProject": "google_project",
    "googleEndpoint": "google_endpoint",
    "postgresHost": "postgres_host",
    "postgresPort": "postgres_port",
    "tokenServiceUrl": "token_service_url",
    "verifierUrl": "verifier_url",
    "webhooksUrl": "webhooks_url",
}

# Where every server of the sandbox listens.
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A stack's facts. `facts`: every key as text, for policies. Durations in seconds; a cap of 0 is no cap.

    starts_any_time: `yes` takes windows and freezes out of policies: a demonstration is given at any hour.
    checked_on: the day for which waivers are judged, because the program has no clock; who deploys sets it to today.
    """

    stack: str
    environment: str
    aws_account: str
    region: str
    name_prefix: str
    vault_address: str
    vault_auth: str
    google_project: str
    google_project_number: str
    postgres_host: str
    postgres_port: int
    postgres_tls: str
    token_service_url: str
    verifier_url: str
    webhooks_url: str
    events_redis: str
    events_redis_tls: str
    payments_reader: str
    exports_reader: str
    webhook_sender: str
    analytics_reader: str
    github_owner: str
    github_repository: str
    github_reviewers: tuple[str, ...]
    alarm_email: str
    slack_secret: str
    log_retention_days: int
    function_concurrency: int
    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]
    overlap_cap_s: int
    warm_up_cap_s: int
    alias_lag_s: int
    client_poll_s: int
    checked_on: date
    facts: Mapping[str, str]
    starts_any_time: str = "no"
    aws_endpoint: str = ""
    google_endpoint: str = ""

    @property
    def local(self) -> bool:
        """Whether the stack lives in the sandbox: throw-away, emulated, never an account."""
        return self.environment == "local"

    @property
    def protects(self) -> bool:
        """Whether what holds data refuses to be deleted."""
        return self.environment == "prod"


def load() -> Settings:
    """The Settings of the running program's stack; Refused `bad_configuration` names every problem."""
    return settings(pulumi.get_stack(), configured(PROJECT))


def configured(project: str) -> dict[str, str]:
    """The running program's configuration of `project`, without that prefix."""
    prefix = f"{project}:"
    names = [name.removeprefix(prefix) for name in CONFIG.get() if name.startswith(prefix)]
    config = pulumi.Config(project)
    return {name: config.get(name) or "" for name in names}


def settings(stack: str, configured: Mapping[str, str], root: Path = ROOT) -> Settings:
    """Settings of `stack` from its keys without the project's prefix; pure but for the sandbox's facts file."""
    problems = unknown_keys(configured, [*(key.name for key in KEYS), SANDBOX_FACTS])
    texts = dict(configured) | _sandbox_facts(configured.get(SANDBOX_FACTS, ""), root, problems)
    values = values_of(KEYS, texts, f"Pulumi.{stack}.yaml", problems)
    problems += _mismatches(stack, texts, values)
    refuse(problems)
    return Settings(stack=stack, facts=texts, **values)  # type: ignore[arg-type]  # the table of keys holds the types


def values_of(
    keys: Sequence[Key], texts: Mapping[str, str], file: str, problems: list[str], project: str = PROJECT
) -> dict[str, object]:
    """What the table `keys` makes of `texts`, by field; what is missing or wrong is added to `problems`."""
    values: dict[str, object] = {}
    for key in keys:
        if key.name not in texts:
            if not key.local_only:
                problems.append(f"`{project}:{key.name}` is missing: add it to {file}")
            continue
        try:
            values[key.field] = key.read(texts[key.name])
        except ValueError as exc:
            problems.append(f"`{project}:{key.name}` has to be {exc}")
    return values


def refuse(problems: Sequence[str]) -> None:
    """Refused `bad_configuration` with every one of `problems`; nothing when there is none."""
    if problems:
        raise Refused(
            "bad_configuration", "\n  ".join(["the configuration is wrong:", *problems]), "correct it and repeat"
        )


def unknown_keys(configured: Iterable[str], known: Sequence[str], project: str = PROJECT) -> list[str]:
    """One problem for each key that is not in `known`, with the nearest one that is."""
    problems = []
    for name in configured:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean `{project}:{near[0]}`?" if near else "remove it"
            problems.append(f"`{project}:{name}` is not a key of this program: {hint}")
    return problems


def _sandbox_facts(name: str, root: Path, problems: list[str]) -> dict[str, str]:
    path = root / name
    if not name or not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        texts = {key: str(found[fact]) for key, fact in FROM_SANDBOX.items() if fact in found}
        redis = {"eventsRedis": f"{_LOOPBACK}:{found['redis_port']}"} if "redis_port" in found else {}
        return texts | redis
    except (ValueError, TypeError):
        problems.append(f"{name} is not a JSON object of facts: run `keyturn sandbox down`, then `keyturn sandbox up`")
        return {}


def _mismatches(stack: str, texts: Mapping[str, str], values: Mapping[str, object]) -> list[str]:
    environment = values.get("environment")
    problems = []
    if environment and environment != stack:
        problems.append(f"`{PROJECT}:environment` says {environment}, the stack is {stack}: they have to agree")
    problems += _only_in_the_sandbox(texts) if stack != "local" else []
    if bool(values.get("subnet_ids")) != bool(values.get("security_group_ids")):
        problems.append(f"`{PROJECT}:subnetIds` and `{PROJECT}:securityGroupIds` go together: fill both or neither")
    return problems


def _only_in_the_sandbox(texts: Mapping[str, str]) -> list[str]:
    emulated = [SANDBOX_FACTS, *(key.name for key in KEYS if key.local_only)]
    problems = [f"`{PROJECT}:{name}` belongs to the stack local only: remove it" for name in emulated if name in texts]
    plain = [name for name, text in texts.items() if text.startswith("http:") and name not in emulated]
    if texts.get("eventsRedis") and texts.get("eventsRedisTls") != "verify":
        problems.append(f"`{PROJECT}:eventsRedisTls` has to be verify outside the sandbox: a credential goes there")
    # a credential goes to these addresses
    problems += [f"`{PROJECT}:{name}` has to be an https address outside the sandbox" for name in plain]
    return problems
