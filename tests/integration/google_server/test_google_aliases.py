"""Version aliases: their rules, and the map as a compare-and-set pointer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from google.api_core.exceptions import FailedPrecondition, InvalidArgument, NotFound
from google.cloud.secretmanager_v1 import Secret
from google.cloud.secretmanager_v1 import SecretManagerServiceClient as Client

Add = Callable[[bytes], str]
Alias = Callable[..., None]


def point(client: Client, secret: str, etag: str = "", **aliases: int) -> Secret:
    return client.update_secret(
        request={
            "secret": {"name": secret, "etag": etag, "version_aliases": aliases},
            "update_mask": {"paths": ["version_aliases"]},
        }
    )


def test_the_map_is_edited_whole_and_a_name_left_out_is_gone(
    client: Client, secret: str, add: Add, alias: Alias
) -> None:
    add(b"one")
    alias(current=1, canary=1)
    alias(current=1)
    assert dict(client.get_secret(request={"name": secret}).version_aliases) == {"current": 1}
    with pytest.raises(NotFound):
        client.access_secret_version(request={"name": f"{secret}/versions/canary"})


@pytest.mark.parametrize("name", ["latest", "NEW", "1st", "_x", "a.b", "a" * 64])
def test_an_alias_name_out_of_the_rules_is_refused(client: Client, secret: str, add: Add, name: str) -> None:
    add(b"one")
    with pytest.raises(InvalidArgument, match="alias"):
        point(client, secret, **{name: 1})


def test_an_alias_name_may_have_63_characters_with_hyphen_and_underscore(client: Client, secret: str, add: Add) -> None:
    add(b"one")
    name = "a-_Z9" + "x" * 58
    assert dict(point(client, secret, **{name: 1}).version_aliases) == {name: 1}


def test_a_secret_has_at_most_fifty_aliases(client: Client, secret: str, add: Add) -> None:
    add(b"one")
    assert len(point(client, secret, **{f"a{n}": 1 for n in range(50)}).version_aliases) == 50
    with pytest.raises(InvalidArgument, match="50"):
        point(client, secret, **{f"a{n}": 1 for n in range(51)})


@pytest.mark.parametrize("number", [0, 2, -1])
def test_an_alias_must_point_to_an_existing_version(client: Client, secret: str, add: Add, number: int) -> None:
    add(b"one")
    with pytest.raises(InvalidArgument, match="does not exist"):
        point(client, secret, current=number)


def test_of_two_promotions_with_the_same_etag_one_wins(client: Client, secret: str, add: Add) -> None:
    add(b"one")
    add(b"two")
    etag = client.get_secret(request={"name": secret}).etag
    point(client, secret, etag=etag, current=1)
    with pytest.raises(FailedPrecondition):
        point(client, secret, etag=etag, current=2)
    assert client.access_secret_version(request={"name": f"{secret}/versions/current"}).payload.data == b"one"


def test_of_many_promotions_at_once_with_the_same_etag_exactly_one_wins(client: Client, secret: str, add: Add) -> None:
    for _ in range(8):
        add(b"candidate")
    etag = client.get_secret(request={"name": secret}).etag

    def promote(number: int) -> int | None:
        try:
            point(client, secret, etag=etag, current=number)
        except FailedPrecondition:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        (winner,) = [number for number in pool.map(promote, range(1, 9)) if number]
    assert dict(client.get_secret(request={"name": secret}).version_aliases) == {"current": winner}


def test_a_candidate_is_invisible_by_alias_and_exposed_by_latest(
    client: Client, secret: str, add: Add, alias: Alias
) -> None:
    add(b"one")
    alias(current=1)
    add(b"two")
    assert client.access_secret_version(request={"name": f"{secret}/versions/current"}).payload.data == b"one"
    assert client.access_secret_version(request={"name": f"{secret}/versions/latest"}).payload.data == b"two"


def test_an_alias_of_a_destroyed_version_stays_and_answers_with_its_state(
    client: Client, secret: str, add: Add, alias: Alias
) -> None:
    name = add(b"one")
    alias(current=1)
    client.destroy_secret_version(request={"name": name})
    assert client.get_secret_version(request={"name": f"{secret}/versions/current"}).name == name
    with pytest.raises(FailedPrecondition, match="DESTROYED"):
        client.access_secret_version(request={"name": f"{secret}/versions/current"})
