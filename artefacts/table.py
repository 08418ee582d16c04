"""Which parts of `rotation/`, which SDK and which AWS services go into each function zip: the one table.

A module in a guarded folder ships only where a row (or `EVERYWHERE`) names it; every other module of `rotation/` ships
in all zips. So a new shared module needs no edit, and a new adapter ships nowhere by accident: `selection` refuses a
guarded module that no row names.
"""

from __future__ import annotations

from dataclasses import dataclass

# Folders of `rotation/` whose modules belong to one store or one function.
GUARDED = ("stores", "issuers", "consumers", "handlers", "control", "incidents")

# Modules of guarded folders that belong to every function; patterns below `rotation/`.
EVERYWHERE = (
    "*/__init__.py",
    "handlers/quick_start.py",
    "issuers/facts.py",
    "issuers/passwords.py",
    "issuers/registry.py",
    "stores/limits.py",
    # the event itself, which the steps name; what sends it belongs to the stores' functions
    "consumers/channel.py",
    "consumers/event.py",
)

# What the handlers of the three stores share, and control's has no use for.
_STORE_PHASES = "handlers/store_phases.py"

# How policies are read: by control for claims, by the stores' functions for a preflight.
_CATALOGUE = "handlers/shelf.py"

# How consumers are told, from the function that promotes.
_CONSUMERS = tuple(f"consumers/{name}.py" for name in ("redis", "redis_link", "registry", "rq", "signing", "sqs"))

# The credential type that has no target, hence no SDK: any store may keep it.
_NO_TARGET = "issuers/random_string.py"

# Users of Redis: the driver ships in all three anyway, for events.
_REDIS = "issuers/redis*.py"

# What the credential types share whose targets are reached over HTTP.
_HTTP_TARGETS = ("issuers/http.py", "issuers/own_id.py", "issuers/target_api.py")

# What every function asks of AWS: its ledger, the catalogue, a session narrowed to one run, metrics.
_SHARED_SERVICES = ("cloudwatch", "dynamodb", "s3", "sts")


@dataclass(frozen=True, kw_only=True)
class Function:
    """One row: what makes one function zip.

    owned: patterns below `rotation/`, each of which must match a module (`stores/aws*.py`: the adapter and its parts).
    sdks: modules whose bare import the cold import is compared with. services: names of folders in `botocore/data`.
    """

    name: str
    owned: tuple[str, ...]
    sdks: tuple[str, ...]
    services: tuple[str, ...] = ()

    @property
    def handler(self) -> str:
        """The module that the runtime imports; its entry point is `handle`."""
        return f"rotation.handlers.{self.name}"

    @property
    def lock(self) -> str:
        """The hash-locked requirements, relative to the project."""
        return f"requirements/function-{self.name}.txt"

    @property
    def all_services(self) -> frozenset[str]:
        """Every AWS service whose model ships."""
        return frozenset(_SHARED_SERVICES + self.services)


FUNCTIONS = (
    Function(
        name="aws",
        owned=(
            _STORE_PHASES,
            _CATALOGUE,
            *_CONSUMERS,
            _NO_TARGET,
            _REDIS,
            "stores/aws*.py",
            "issuers/aws_iam_access_key*.py",
            "issuers/postgres*.py",
            # what a person did is told by this store alone
            "issuers/reminder.py",
            "issuers/scram.py",
            "handlers/aws.py",
            "handlers/native*.py",
            # a native rotation is recorded by the function itself
            "control/asked.py",
            "control/desk.py",
            "control/records.py",
            "control/signals.py",
            "control/takeover.py",
            "control/undoable.py",
            "control/waits.py",
        ),
        sdks=("boto3", "pg8000.native"),
        services=("iam", "kms", "secretsmanager", "sqs"),
    ),
    Function(
        name="vault",
        owned=(
            _STORE_PHASES,
            _CATALOGUE,
            *_CONSUMERS,
            _NO_TARGET,
            _REDIS,
            "stores/vault*.py",
            "issuers/bearer*.py",
            "issuers/vault_static*.py",
            # how it shows a password to PostgreSQL
            "issuers/postgres_database.py",
            "issuers/postgres_probe.py",
            "issuers/postgres_wire.py",
            "issuers/webhook*.py",
            *_HTTP_TARGETS,
            "handlers/vault.py",
        ),
        sdks=("boto3", "hvac"),
        services=("kms", "sqs"),
    ),
    Function(
        name="gcp",
        owned=(
            _STORE_PHASES,
            _CATALOGUE,
            *_CONSUMERS,
            _NO_TARGET,
            _REDIS,
            "stores/gcp*.py",
            "stores/crc32c.py",
            "issuers/key_pair*.py",
            "issuers/signing*.py",
            *_HTTP_TARGETS,
            "handlers/gcp.py",
        ),
        sdks=("boto3", "google.cloud.secretmanager_v1", "cryptography.hazmat.primitives.asymmetric.ed25519"),
        services=("kms", "sqs"),
    ),
    Function(
        name="control",
        owned=(
            "control/*.py",
            "incidents/*.py",
            "handlers/control.py",
            "handlers/endpoint.py",
            "handlers/notices.py",
            _CATALOGUE,
        ),
        sdks=("boto3",),
        # secretsmanager: the address of Slack's webhook
        services=("kms", "lambda", "secretsmanager", "stepfunctions"),
    ),
)
