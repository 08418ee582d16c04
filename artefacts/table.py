"""Which parts of `rotation/`, which SDK and which AWS services go into each function zip: the one table.

A module in a guarded folder ships only where a row (or `EVERYWHERE`) names it; every other module of `rotation/` ships
in all zips. So a new shared module needs no edit, and a new adapter ships nowhere by accident: `selection` refuses a
guarded module that no row names.
"""

from __future__ import annotations

from dataclasses import dataclass

# Folders of `rotation/` whose modules belong to one store or one function.
GUARDED = ("stores", "issuers", "consumers", "handlers", "control")

# Modules of guarded folders that belong to every function; patterns below `rotation/`.
EVERYWHERE = ("*/__init__.py", "handlers/quick_start.py", "issuers/facts.py", "issuers/registry.py", "stores/limits.py")

# What the handlers of the three stores share, and control's has no use for.
_STORE_PHASES = "handlers/store_phases.py"

# What the credential types share whose targets are reached over HTTP.
_HTTP_TARGETS = ("issuers/http.py", "issuers/target_api.py")

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
            "stores/aws*.py",
            "issuers/postgres*.py",
            "issuers/scram.py",
            "handlers/aws.py",
            "handlers/shelf.py",
            "handlers/native.py",
            # a native rotation is recorded by the function itself
            "control/asked.py",
            "control/desk.py",
            "control/records.py",
            "control/signals.py",
        ),
        sdks=("boto3", "pg8000.native"),
        services=("kms", "secretsmanager"),
    ),
    Function(
        name="vault",
        owned=(_STORE_PHASES, "stores/vault*.py", "issuers/bearer*.py", *_HTTP_TARGETS, "handlers/vault.py"),
        sdks=("boto3", "hvac"),
        services=("kms",),
    ),
    Function(
        name="gcp",
        owned=(
            _STORE_PHASES,
            "stores/gcp*.py",
            "stores/crc32c.py",
            "issuers/signing*.py",
            *_HTTP_TARGETS,
            "handlers/gcp.py",
        ),
        sdks=("boto3", "google.cloud.secretmanager_v1", "cryptography.hazmat.primitives.asymmetric.ed25519"),
    ),
    Function(
        name="control",
        owned=("control/*.py", "handlers/control.py", "handlers/endpoint.py", "handlers/shelf.py"),
        sdks=("boto3",),
        services=("kms", "lambda", "stepfunctions"),
    ),
)
