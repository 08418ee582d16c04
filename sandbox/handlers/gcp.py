"""Resource types of pulumi-gcp that the program declares: a secret's shell, and one member of its policy.

Like the real provider, labels and annotations are managed key by key: keys that the program does not declare belong to
somebody else. Version aliases are treated alike, on purpose stricter than the provider: the runtime moves them, and an
`up` that changes a label must not move one back. Only what the *program* changed since it was last applied is written,
so that `ignore_changes` leaves the rest alone. Versions are deliberately not here: no value passes the program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from google.api_core.exceptions import Aborted, AlreadyExists, FailedPrecondition, NotFound
from google.cloud.secretmanager_v1.types import resources
from google.protobuf.json_format import MessageToDict, ParseDict

if TYPE_CHECKING:
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient

    from sandbox.handlers.contract import Properties

# Somebody else may write between read and write; more than this many in a row is a fight that should be seen.
_ATTEMPTS = 10
# Maps whose undeclared keys are left alone, and the mask path of each.
_MAPS = {"labels": "labels", "annotations": "annotations", "versionAliases": "version_aliases"}
# The maps in which the runtime moves declared keys too: adopting a secret must not move them back.
_RUNTIME_MAPS = ("annotations", "versionAliases")
# Fields written whole.
_WHOLE = {"topics": "topics", "rotation": "rotation", "versionDestroyTtl": "version_destroy_ttl"}
_SECRET_INPUTS = frozenset({*_MAPS, *_WHOLE, "secretId", "project", "replication", "deletionProtection"})
_MEMBER_INPUTS = frozenset({"secretId", "project", "role", "member"})


def _check_known(type_: str, inputs: Mapping[str, Any], known: frozenset[str]) -> None:
    """An input that would be dropped in silence is an error instead."""
    unknown = sorted(key for key, value in inputs.items() if key not in known and value is not None)
    if unknown:
        raise ValueError(f"the sandbox does not serve {', '.join(unknown)} of {type_}")


def _plain(key: str, properties: Mapping[str, Any]) -> dict[str, str]:
    """A declared map; version numbers arrive as text or as floats and become text."""
    found = properties.get(key) or {}
    return {name: str(int(float(value))) if key == "versionAliases" else str(value) for name, value in found.items()}


def _document(inputs: Mapping[str, Any]) -> Any:
    """The inputs as the service's `Secret`; JSON names agree, except that the provider says `auto`."""
    fields = {key: inputs[key] for key in _WHOLE if inputs.get(key)}
    fields |= {key: _plain(key, inputs) for key in _MAPS if inputs.get(key)}
    replication = inputs.get("replication") or {}
    if "auto" in replication:
        fields["replication"] = {"automatic": replication["auto"] or {}}
    elif replication:
        fields["replication"] = replication
    return ParseDict(fields, resources.Secret.pb()())


def _merged(before: Mapping[str, str], now: Mapping[str, str], live: Mapping[str, str]) -> dict[str, str]:
    """`live` with what the program changed: keys it dropped are gone, keys whose declared value moved are set."""
    kept = {key: value for key, value in live.items() if key in now or key not in before}
    return kept | {key: value for key, value in now.items() if before.get(key) != value}


class SecretHandler:
    """`gcp:secretmanager/secret:Secret`: the shell of a secret, id `projects/P/secrets/S`."""

    replace_on = frozenset({"secretId", "project", "replication"})
    computed = frozenset({"name", "createTime", "effectiveLabels", "effectiveAnnotations", "pulumiLabels"})

    def __init__(self, client: SecretManagerServiceClient, default_project: str) -> None:
        self._client = client
        self._project = default_project

    def create(self, name: str, inputs: Properties, /) -> tuple[str, Properties]:
        """Make the shell; one that exists is adopted, without moving back what the runtime moved in it."""
        _check_known("Secret", inputs, _SECRET_INPUTS)
        declared = {
            **inputs,
            "project": inputs.get("project") or self._project,
            "secretId": inputs.get("secretId") or name,
        }
        document = _document(declared)
        parent = f"projects/{declared['project']}"
        try:
            made = self._client.create_secret(
                request={"parent": parent, "secret_id": declared["secretId"], "secret": document}
            )
        except AlreadyExists:
            id_ = f"{parent}/secrets/{declared['secretId']}"
            return id_, self._write(id_, None, declared)
        return made.name, _outputs(declared, made)

    def read(self, id_: str, inputs: Properties, /) -> Properties | None:
        """The outputs now; declared maps are echoed, what is really there is in `effectiveLabels` and its like."""
        try:
            live = self._client.get_secret(request={"name": id_})
        except NotFound:
            return None
        return _outputs(inputs, live)

    def update(self, id_: str, old_outputs: Properties, inputs: Properties, /) -> Properties:
        """Write what the program changed, in one call fenced by the etag; nothing changed is no write."""
        _check_known("Secret", inputs, _SECRET_INPUTS)
        return self._write(id_, old_outputs, inputs)

    def delete(self, id_: str, outputs: Properties, /) -> None:
        """Remove the secret with all versions; ValueError while `deletionProtection` is on."""
        if outputs.get("deletionProtection"):
            raise ValueError(f"{id_} has deletionProtection; switch it off and apply before it can be deleted")
        try:
            self._client.delete_secret(request={"name": id_})
        except NotFound:
            return

    def _write(self, id_: str, before: Mapping[str, Any] | None, inputs: Mapping[str, Any]) -> Properties:
        def attempt() -> Properties:
            live = self._client.get_secret(request={"name": id_})
            wanted, paths = _changes(before, inputs, live)
            if paths:
                live = self._client.update_secret(request={"secret": wanted, "update_mask": {"paths": paths}})
            return _outputs(inputs, live)

        return _contended(attempt, FailedPrecondition)


def _changes(before: Mapping[str, Any] | None, inputs: Mapping[str, Any], live: Any) -> tuple[Any, list[str]]:
    """The `Secret` to send with the etag of `live`, and the mask of what the program changed. No `before`: adoption."""
    wanted = _document(inputs)
    wanted.name, wanted.etag = live.name, live.etag
    paths = [path for key, path in _WHOLE.items() if (before or {}).get(key) != inputs.get(key)]
    for key, path in _MAPS.items():
        there = {name: str(value) for name, value in getattr(live, path).items()}
        now = _plain(key, inputs)
        known = _plain(key, before or {})
        if before is None and key in _RUNTIME_MAPS:
            known = {name: value for name, value in now.items() if name in there}
        target = _merged(known, now, there)
        if target != there:
            paths.append(path)
            wanted.ClearField(path)
            ParseDict({key: target}, wanted)
    return wanted, paths


def _outputs(inputs: Mapping[str, Any], live: Any) -> Properties:
    _, project, _, secret_id = live.name.split("/")
    return {
        **{key: value for key, value in inputs.items() if key in _SECRET_INPUTS},
        "secretId": secret_id,
        "project": project,
        "name": live.name,
        "createTime": MessageToDict(resources.Secret.pb(live)).get("createTime", ""),
        "pulumiLabels": _plain("labels", inputs),
        "effectiveLabels": dict(live.labels),
        "effectiveAnnotations": dict(live.annotations),
    }


def _contended(attempt: Callable[[], Properties], conflict: type[Exception]) -> Properties:
    """Read and write again while somebody else wins the race; the last refusal is raised."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return attempt()
        except conflict:
            continue
    return attempt()


class SecretIamMemberHandler:
    """`gcp:secretmanager/secretIamMember:SecretIamMember`: one member of one role, others are left alone."""

    replace_on = _MEMBER_INPUTS
    computed = frozenset({"etag"})

    def __init__(self, client: SecretManagerServiceClient, default_project: str) -> None:
        self._client = client
        self._project = default_project

    def create(self, name: str, inputs: Properties, /) -> tuple[str, Properties]:  # noqa: ARG002  the protocol's
        """Add the member; one that is there already is adopted. Id: `projects/P/secrets/S/role/member`."""
        _check_known("SecretIamMember", inputs, _MEMBER_INPUTS)
        secret = self._secret(inputs)
        outputs = self._edit(secret, inputs, present=True)
        return f"{secret}/{inputs['role']}/{inputs['member']}", outputs

    def read(self, id_: str, inputs: Properties, /) -> Properties | None:  # noqa: ARG002  the inputs say it all
        """The outputs while the member has the role; None when not, or when the secret is gone."""
        try:
            policy = self._client.get_iam_policy(request={"resource": self._secret(inputs)})
        except NotFound:
            return None
        held = any(
            binding.role == inputs["role"] and inputs["member"] in binding.members for binding in policy.bindings
        )
        return self._outputs(inputs, policy) if held else None

    def update(self, id_: str, old_outputs: Properties, inputs: Properties, /) -> Properties:  # noqa: ARG002
        """Every input replaces, so there is nothing to change; makes sure that the member is there."""
        return self._edit(self._secret(inputs), inputs, present=True)

    def delete(self, id_: str, outputs: Properties, /) -> None:  # noqa: ARG002  the outputs say it all
        """Remove the member; a secret that is gone took it along."""
        try:
            self._edit(self._secret(outputs), outputs, present=False)
        except NotFound:
            return

    def _secret(self, inputs: Mapping[str, Any]) -> str:
        given = str(inputs["secretId"])
        return (
            given
            if given.startswith("projects/")
            else f"projects/{inputs.get('project') or self._project}/secrets/{given}"
        )

    def _edit(self, secret: str, inputs: Mapping[str, Any], *, present: bool) -> Properties:
        def attempt() -> Properties:
            policy = self._client.get_iam_policy(request={"resource": secret})
            if _set_member(policy, inputs["role"], inputs["member"], present=present):
                policy = self._client.set_iam_policy(request={"resource": secret, "policy": policy})
            return self._outputs(inputs, policy)

        return _contended(attempt, Aborted)

    def _outputs(self, inputs: Mapping[str, Any], policy: Any) -> Properties:
        echoed = {key: value for key, value in inputs.items() if key in _MEMBER_INPUTS}
        return {**echoed, "project": self._secret(inputs).split("/")[1], "etag": policy.etag.decode()}


def _set_member(policy: Any, role: str, member: str, *, present: bool) -> bool:
    """Put a member into a role's binding or take it out; False when it already was as wanted."""
    held = next((found for found in policy.bindings if found.role == role), None)
    if (held is not None and member in held.members) == present:
        return False
    if held is None:
        policy.bindings.add(role=role, members=[member])
    elif present:
        held.members.append(member)
    else:
        held.members.remove(member)
        if not held.members:
            policy.bindings.remove(held)
    return True
