"""What holds for every type alike, on the emulator and on OpenBao."""

from __future__ import annotations

from pathlib import Path

import handler_cases_endpoint
import handler_cases_events
import handler_cases_runtime
import handler_cases_stores
import handler_cases_vault
import pytest
from handler_cases import CASES
from handler_world import World

from sandbox.handlers.contract import Properties
from sandbox.handlers.declared_only import DECLARED_ONLY

pytestmark = [pytest.mark.sandbox, pytest.mark.openbao]

__all__ = [
    "handler_cases_endpoint",
    "handler_cases_events",
    "handler_cases_runtime",
    "handler_cases_stores",
    "handler_cases_vault",
]
# these two are tested with the server that serves them
OF_THE_GOOGLE_SERVER = {
    "gcp:secretmanager/secret:Secret",
    "gcp:secretmanager/secretIamMember:SecretIamMember",
}
# deleting these is a change back: there is always some versioning, encryption, configuration
SET_BACK_ONLY = {
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "vault:kv/secretBackendV2:SecretBackendV2",
}
# every input makes another one: tested with the keys
MADE_ONCE = {"aws:kms/ciphertext:Ciphertext"}
every_type = pytest.mark.parametrize("token", sorted(CASES))


def _settled(outputs: Properties | None) -> Properties:
    """Outputs without the time of the last change, and the version of an object, which is written again each time."""
    return {key: value for key, value in (outputs or {}).items() if key not in {"lastModified", "versionId"}}


@every_type
def test_what_is_declared_is_made_and_changed_in_place(token: str, world: World, tmp_path: Path) -> None:
    case, handler = CASES[token](world, tmp_path), world.handler(token)
    id_, outputs = handler.create(world.own("it"), case.before)
    assert case.seen(id_) == case.was
    assert case.before.items() <= outputs.items()
    assert handler.computed <= outputs.keys()
    assert _settled(handler.read(id_, case.before)) == _settled(outputs)
    updated = handler.update(id_, outputs, case.after)
    assert case.seen(id_) == case.becomes
    assert case.after.items() <= updated.items()
    assert _settled(handler.read(id_, case.after)) == _settled(updated)


@every_type
def test_a_repeated_create_adopts_and_a_repeated_delete_is_tolerated(token: str, world: World, tmp_path: Path) -> None:
    case, handler = CASES[token](world, tmp_path), world.handler(token)
    id_, outputs = handler.create(world.own("it"), case.before)
    again, same = handler.create(world.own("it"), case.before)
    assert again == id_
    assert _settled(same) == _settled(outputs)
    adopted, outputs = handler.create(world.own("it"), case.after)
    assert adopted == id_
    assert case.seen(id_) == case.becomes
    handler.delete(id_, outputs)
    if token not in SET_BACK_ONLY:
        assert handler.read(id_, case.after) is None
    handler.delete(id_, outputs)


@every_type
def test_an_input_that_would_be_dropped_is_refused_by_name(token: str, world: World) -> None:
    with pytest.raises(ValueError, match="does not serve inventedHere"):
        world.handler(token).create(world.own("it"), {"inventedHere": 1})
    with pytest.raises(ValueError, match="does not serve inventedHere"):
        world.handler(token).update("any", {"name": "any"}, {"inventedHere": 1})


def test_every_type_is_made_for_real_or_said_to_be_declared_only(world: World) -> None:
    assert world.handlers.keys() == CASES.keys() | DECLARED_ONLY.keys() | OF_THE_GOOGLE_SERVER | MADE_ONCE
