"""A secret of Vault or OpenBao, KV v2. The store counts versions; Keyturn's ids come with events.

The client's token, its renewal and its namespace are the service's own affair.
"""

from __future__ import annotations

import json
from typing import Any

from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest, VaultError
from requests.exceptions import RequestException

from keyturn.client.errors import ClientError, Missing, Unavailable
from keyturn.client.sources import Fetched
from keyturn.client.value import Value

# Where Keyturn keeps what no consumer may read.
_PENDING = "pending"


class VaultSource:
    """`client` is a ready hvac client, `path` is `mount/path` without `data/`.

    Raises:
        ClientError: `bad_path`, also for a path of pending values.
    """

    lagging = False
    names_versions = False

    def __init__(self, client: Any, path: str) -> None:
        self._mount, _, self._path = path.partition("/")
        if not self._path or self._path.split("/")[0] == _PENDING:
            raise ClientError("bad_path", f"{path} is not `mount/path` of a live secret")
        self._client = client

    def current(self) -> Fetched:
        """The newest version of the live path."""
        return self._get(None)

    def by_version(self, store_version: str) -> Fetched:
        """A version of the live path by number."""
        return self._get(int(store_version))

    def _get(self, number: int | None) -> Fetched:
        where = f"{self._mount}/{self._path}"
        try:
            answer = self._client.secrets.kv.v2.read_secret_version(
                path=self._path, mount_point=self._mount, version=number, raise_on_deleted_version=True
            )
        except (InvalidPath, Forbidden, InvalidRequest) as exc:
            raise Missing("secret_not_given", f"{where}: {type(exc).__name__}") from exc
        except (VaultError, RequestException) as exc:
            raise Unavailable("store_unavailable", f"{where}: {type(exc).__name__}") from exc
        entry = answer["data"]
        text = json.dumps(entry["data"], sort_keys=True, separators=(",", ":"))
        return Fetched(store_version=str(entry["metadata"]["version"]), value=Value(text))
