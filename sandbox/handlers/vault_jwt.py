"""Vault (OpenBao): the JWT authentication method with the keys that it trusts, and roles."""

from __future__ import annotations

from typing import Any

import hvac

from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert
from sandbox.handlers.vault import drop, read

_CONFIG = {
    "jwtValidationPubkeys": "jwt_validation_pubkeys",
    "jwtSupportedAlgs": "jwt_supported_algs",
    "boundIssuer": "bound_issuer",
}
_ROLE = {
    "roleType": "role_type",
    "userClaim": "user_claim",
    "boundAudiences": "bound_audiences",
    "boundSubject": "bound_subject",
    "tokenPolicies": "token_policies",
    "tokenTtl": "token_ttl",
    "tokenMaxTtl": "token_max_ttl",
    "tokenNoDefaultPolicy": "token_no_default_policy",
    "tokenType": "token_type",
}


class AuthBackend(Upsert):
    """`vault:jwt/authBackend:AuthBackend` of type jwt; the id is the path below `auth/`."""

    serves = frozenset({"path", "type", "description", *_CONFIG})
    replace_on = frozenset({"path", "type"})
    computed = frozenset({"accessor"})
    named_by = "path"

    def __init__(self, client: hvac.Client) -> None:
        self._client = client

    def put(self, wished: Properties, /) -> str:
        """Enable the method, or describe the one that is there anew; then its configuration as a whole."""
        path, description = str(wished.get("path", "jwt")), wished.get("description", "")
        live = self._find(path)
        if live is None:
            self._client.write_data(f"sys/auth/{path}", data={"type": "jwt", "description": description})
        elif live["type"] != "jwt":
            raise ValueError(f"at auth/{path} stands a method of type {live['type']}")
        elif live["description"] != description:
            self._client.write_data(f"sys/auth/{path}/tune", data={"description": description})
        config = {there: wished[key] for key, there in _CONFIG.items() if key in wished}
        self._client.write_data(f"auth/{path}/config", data=config)
        return path

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The method and its configuration; None as well when it was enabled and never configured."""
        live, config = self._find(id_), read(self._client, f"auth/{id_}/config")
        if live is None or config is None:
            return None
        facts = {"path": id_, "type": live["type"], "description": live["description"], "accessor": live["accessor"]}
        return {**facts, **_read(config, _CONFIG, wished)}

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Disable the method, which revokes every token that it gave."""
        drop(self._client, f"sys/auth/{id_}")

    def _find(self, path: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = (read(self._client, "sys/auth") or {}).get(f"{path}/")
        return found


class AuthBackendRole(Upsert):
    """`vault:jwt/authBackendRole:AuthBackendRole`; the id is `auth/backend/role/name`."""

    serves = frozenset({"backend", "roleName", *_ROLE})
    replace_on = frozenset({"backend", "roleName", "roleType"})
    named_by = "roleName"

    def __init__(self, client: hvac.Client) -> None:
        self._client = client

    def put(self, wished: Properties, /) -> str:
        """The whole role. Deleted first, because a write leaves alone what it does not name."""
        path = f"auth/{wished.get('backend', 'jwt')}/role/{wished['roleName']}"
        role = {there: wished[key] for key, there in _ROLE.items() if key in wished}
        live = read(self._client, path)
        if live is not None and any(live.get(there) for key, there in _ROLE.items() if key not in wished):
            drop(self._client, path)
        self._client.write_data(path, data=role)
        return path

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The role as the server has it, for the inputs that the program gives."""
        live = read(self._client, id_)
        return live and {"roleName": id_.rpartition("/")[2], **_read(live, _ROLE, wished)}

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Delete the role; a method that is gone took it along."""
        drop(self._client, id_)


def _read(live: dict[str, Any], names: dict[str, str], wished: Properties) -> Properties:
    """What the server says of the given inputs. It strips white space around keys, and sorts no list."""
    answer: Properties = {}
    for key, there in names.items():
        if key in wished:
            value = live.get(there)
            answer[key] = wished[key] if _same(value, wished[key]) else value
    return answer


def _same(live: Any, wished: Any) -> bool:
    if isinstance(live, list) and isinstance(wished, list):
        return [str(item).strip() for item in live] == [str(item).strip() for item in wished]
    return bool(live == wished)
