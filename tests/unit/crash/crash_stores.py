"""The three real store adapters on their models, every call of their clients a crash point, and what the models hold.

What is there in the end is looked up in the model, never through the adapter that is under test.
"""

from __future__ import annotations

from typing import Any, Protocol

from rotation import aws_client
from rotation.calls import Caller, Meter, NullBreaker
from rotation.contract import SecretStore
from rotation.stores import gcp_client, vault_client
from rotation.stores.aws import AwsStore
from rotation.stores.gcp import GcpStore
from rotation.stores.gcp_api import Api
from rotation.stores.vault import VaultStore
from rotation.stores.vault_auth import VaultSession
from rotation.value import SecretValue
from sandbox.google.protos import ENABLED
from sandbox.google.server import GoogleServer
from tests.model import vault_service
from tests.model.aws_service import CURRENT, PREVIOUS, AwsService
from tests.model.database_engine import USER, DatabaseEngine
from tests.model.google_service import GoogleClient
from tests.unit.crash.crash_trap import Trap, Trapped

SECRET, AUTHORITY = "group/secret", "keyturn/authority/target"
MOUNT = "keyturn"
PROJECT = "projects/keyturn-local"


class StoreRig(Protocol):
    """One store with one declared secret and the authority's credential. `path`, `authority`: as a policy has them."""

    path: str
    authority: str

    def keep_authority(self, value: SecretValue) -> None:
        """Put the authority's credential where the policy says."""
        ...

    def store(self, trap: Trap, meter: Meter) -> SecretStore:
        """A cold adapter whose every call goes through the trap."""
        ...

    def current(self) -> tuple[str, SecretValue] | None:
        """Id and value of what readers by pointer get."""
        ...

    def others(self) -> set[str]:
        """Ids of versions that are neither current nor given up and that somebody could still find: candidates, old."""
        ...

    def versions(self) -> int:
        """How many versions there have ever been."""
        ...

    def shown(self) -> str:
        """Everything that could change."""
        ...


def _caller(provider: str, translate: Any, meter: Meter) -> Caller:
    return Caller(provider, translate=translate, meter=meter, breaker=NullBreaker(), sleep=lambda _: None)


class AwsRig:
    """Secrets Manager."""

    path, authority = SECRET, AUTHORITY

    def __init__(self) -> None:
        self.service = AwsService()
        self.service.create_secret(Name=SECRET)

    def keep_authority(self, value: SecretValue) -> None:
        self.service.create_secret(Name=AUTHORITY)
        self.service.put_secret_value(SecretId=AUTHORITY, SecretString=value.unsafe_reveal())

    def store(self, trap: Trap, meter: Meter) -> AwsStore:
        return AwsStore(Trapped(self.service, trap, "aws"), _caller("secretsmanager", aws_client.translate, meter))

    def current(self) -> tuple[str, SecretValue] | None:
        secret = self.service.secrets[SECRET]
        found = secret.labels.get(CURRENT)
        return (found, SecretValue(secret.values[found] or "")) if found else None

    def others(self) -> set[str]:
        # AWSPREVIOUS is the service's own, and a version without a label is one that it gives up
        labels = self.service.secrets[SECRET].labels
        return {at for label, at in labels.items() if label != PREVIOUS and at != labels.get(CURRENT)}

    def versions(self) -> int:
        return len(self.service.secrets[SECRET].values)

    def shown(self) -> str:
        return repr(self.service.secrets[SECRET])


class VaultRig:
    """KV v2."""

    path, authority = f"{MOUNT}/{SECRET}", f"{MOUNT}/authority/target"

    def __init__(self) -> None:
        self.engine = vault_service.KvEngine(MOUNT)

    def keep_authority(self, value: SecretValue) -> None:
        self.engine.create_or_update_secret("authority/target", secret=value.unsafe_fields(), cas=0, mount_point=MOUNT)

    def store(self, trap: Trap, meter: Meter) -> VaultStore:
        client = self._client(trap)
        caller = _caller("vault", vault_client.translate, meter)
        return VaultStore(VaultSession(client, caller, vault_service.ModelLogin(), clock=lambda: 0.0))

    def _client(self, trap: Trap) -> Any:
        auth = Trapped(vault_service.JwtBackend(), trap, "vault.login")
        return vault_service.client(Trapped(self.engine, trap, "vault"), auth)

    def current(self) -> tuple[str, SecretValue] | None:
        found = self.engine.paths[MOUNT].get(SECRET)
        data = found.versions[found.current].data if found else None
        return (str(found.current), SecretValue.of(data)) if found and data is not None else None

    def others(self) -> set[str]:
        found = self.engine.paths[MOUNT].get(f"pending/{SECRET}")
        kept = found.versions if found else {}
        return {f"pending {number}" for number, version in kept.items() if version.data is not None}

    def versions(self) -> int:
        return sum(found.current for path, found in self.engine.paths[MOUNT].items() if path != "authority/target")

    def shown(self) -> str:
        paths = self.engine.paths[MOUNT].items()
        return repr([(path, n, v.data, v.deleted) for path, kept in paths for n, v in kept.versions.items()])


class EngineRig(VaultRig):
    """The database engine, which keeps one value and has changed it at its target by the time that it shows it."""

    def __init__(self, roles: DatabaseEngine) -> None:
        super().__init__()
        self.roles = roles

    def _client(self, trap: Trap) -> Any:
        client = super()._client(trap)
        roles = Trapped(self.roles, trap, "vault")
        client.read, client.write = roles.read, roles.write
        return client

    def current(self) -> tuple[str, SecretValue]:
        return self.roles.id, SecretValue.of({"username": USER, "password": self.roles.password})

    def others(self) -> set[str]:
        # nothing is ever staged, and nothing before the current one is kept
        return set()

    def versions(self) -> int:
        return self.roles.rotations

    def shown(self) -> str:
        return repr(self.roles.rotations)


class GoogleRig:
    """Secret Manager."""

    path, authority = f"{PROJECT}/secrets/secret", f"{PROJECT}/secrets/authority"

    def __init__(self) -> None:
        self.client = GoogleClient(GoogleServer())
        self._declare("secret")

    def _declare(self, secret_id: str) -> None:
        shell: dict[str, Any] = {"replication": {"automatic": {}}}
        self.client.create_secret({"parent": PROJECT, "secret_id": secret_id, "secret": shell})

    def keep_authority(self, value: SecretValue) -> None:
        self._declare("authority")
        payload = {"data": value.unsafe_reveal().encode()}
        self.client.add_secret_version({"parent": self.authority, "payload": payload})
        secret = {"name": self.authority, "version_aliases": {"current": 1}}
        self.client.update_secret({"secret": secret, "update_mask": {"paths": ["version_aliases"]}})

    def store(self, trap: Trap, meter: Meter) -> GcpStore:
        return GcpStore(Api(Trapped(self.client, trap, "google"), _caller("gcp", gcp_client.translate, meter)))

    def current(self) -> tuple[str, SecretValue] | None:
        aliases = self.client.get_secret({"name": self.path}).version_aliases
        if "current" not in aliases:
            return None
        answer = self.client.access_secret_version({"name": f"{self.path}/versions/current"})
        return str(aliases["current"]), SecretValue(answer.payload.data.decode())

    def others(self) -> set[str]:
        current = self.current()
        found = self.client.list_secret_versions({"parent": self.path})
        enabled = {version.name.rpartition("/")[2] for version in found if version.state == ENABLED}
        return enabled - ({current[0]} if current else set())

    def versions(self) -> int:
        return len(self.client.list_secret_versions({"parent": self.path}))

    def shown(self) -> str:
        # an etag is new with every change
        versions = self.client.list_secret_versions({"parent": self.path})
        return repr([self.client.get_secret({"name": self.path}).etag, *(version.etag for version in versions)])


STORES: dict[str, type[AwsRig | VaultRig | GoogleRig]] = {"aws": AwsRig, "vault": VaultRig, "gcp": GoogleRig}
