"""`discover` lists what no policy rotates, reads no value, says what it could not list, and writes drafts."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from command_bench import Command
from discover_stores import CHANGED, MADE, AwsShop, Forbidden, GoogleShop, VaultShop, caller, ours

from infra.abilities import abilities
from keyturn import discover_clients
from keyturn.commands import discover as verb
from keyturn.discover_aws import AwsListing
from keyturn.discover_drafts import name_of, text_of, write_drafts
from keyturn.discover_found import Found, Listing
from keyturn.discover_gcp import GcpListing
from keyturn.discover_known import Known, of_policies
from keyturn.discover_vault import VaultListing
from keyturn.discovery import Discovered, discover
from keyturn.exits import Exit
from policies import ALL
from policy_rules.check import check_policies
from policy_rules.rule import Circumstances
from rotation.errors import Denied
from rotation.policy import Policy
from rotation.stores import vault_client

APP = "arn:aws:iam::111111111111:role/app"
READ_BY_APP = json.dumps(
    {
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": [APP]}, "Action": "secretsmanager:GetSecretValue"},
            {"Effect": "Allow", "Principal": {"AWS": "somebody"}, "Action": "secretsmanager:DescribeSecret"},
            {"Effect": "Deny", "Principal": "*", "Action": "*"},
        ]
    }
)
# how a statement may let somebody read, and who is named for it
SPELLED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "a star": ({"Principal": {"AWS": "a"}, "Action": "secretsmanager:GetSecret*"}, ("a",)),
    "a question mark": ({"Principal": {"AWS": "a"}, "Action": ["SecretsManager:Get?ecretValue"]}, ("a",)),
    "a short star": ({"Principal": {"AWS": "a"}, "Action": "secretsmanager:G*"}, ("a",)),
    "in batches": ({"Principal": {"AWS": "a"}, "Action": "secretsmanager:BatchGetSecretValue"}, ("a",)),
    "everything else": ({"Principal": {"AWS": "a"}, "NotAction": "secretsmanager:DeleteSecret"}, ("a",)),
    "nothing of it": ({"Principal": {"AWS": "a"}, "NotAction": "secretsmanager:*"}, ()),
    "writing": ({"Principal": {"AWS": "a"}, "Action": "secretsmanager:PutSecretValue"}, ()),
    "everybody else": (
        {"NotPrincipal": {"AWS": "a"}, "Action": "secretsmanager:GetSecretValue"},
        ("all but those its policy names",),
    ),
}
Shops = dict[str, Callable[[], Listing]]


def aws(*names: str, **policies: Any) -> AwsListing:
    entries = [{"Name": name, "CreatedDate": MADE, "LastChangedDate": CHANGED} for name in names]
    return AwsListing(AwsShop(entries, policies), caller(ours))


def vault(*paths: str, denied: tuple[str, ...] = ()) -> VaultListing:
    return VaultListing(VaultShop({"keyturn": list(paths)}, denied=denied), caller(vault_client.translate))


def gcp(*names: str, **bindings: Any) -> GcpListing:
    return GcpListing(GoogleShop(list(names), bindings), "p", caller(ours))


@pytest.mark.parametrize("spelling", SPELLED)
def test_who_may_read_is_seen_however_a_resource_policy_spells_it(spelling: str) -> None:
    statement, readers = SPELLED[spelling]
    listing = aws("a", a=json.dumps({"Statement": [{"Effect": "Allow", **statement}]}))
    (found,) = listing.listed()
    assert listing.detailed(found).readers == readers


def shops(**listings: Listing) -> Shops:
    return {store: lambda listing=listing: listing for store, listing in listings.items()}  # type: ignore[misc]


def found(stores: Shops, known: Known | None = None) -> Discovered:
    return discover(stores, known or of_policies(ALL), lambda _: None)


def test_what_policies_rotate_and_what_keyturn_itself_needs_is_not_listed_as_unmanaged() -> None:
    said = found(
        shops(
            aws=aws("payments/postgres", "keyturn/authority/payments-postgres", "legacy/key"),
            vault=vault("partners/api-token", "pending/partners/api-token", "authority/token-service", "legacy/token"),
            gcp=gcp("analytics-signing-key", "keyturn-authority-verifier", "legacy"),
        )
    )
    assert [(one.store, one.path) for one in said.unmanaged] == [
        ("aws", "legacy/key"),
        ("gcp", "legacy"),
        ("vault", "keyturn/legacy/token"),
    ]
    assert said.managed == {"aws": 1, "vault": 1, "gcp": 1}
    assert {one.path: "payments/postgres" in names for one, names in said.authorities} == {
        "keyturn/authority/payments-postgres": True,
        "keyturn/authority/token-service": False,
        "keyturn-authority-verifier": False,
    }


def test_age_and_readers_are_told_as_far_as_each_store_tells_them() -> None:
    bindings = [("roles/secretmanager.secretAccessor", ["group:a@b"]), ("roles/viewer", ["user:c@d"])]
    said = found(
        shops(aws=aws("one", one=READ_BY_APP), vault=vault("two"), gcp=gcp("three", three=bindings)),
        of_policies([]),
    )
    first, third, second = said.unmanaged
    assert (first.created, first.changed, first.readers) == (MADE, CHANGED, (APP,))
    assert (second.created, second.changed, second.readers) == (MADE.replace(microsecond=123456), CHANGED, None)
    assert (third.created, third.changed, third.readers) == (MADE, None, ("group:a@b", "user:c@d (roles/viewer)"))
    assert (second.owner, third.owner) == ("team", "team")
    assert first.age_days(datetime(2025, 3, 1, tzinfo=UTC)) == 59


def test_what_stands_out_of_an_aws_secret_is_noted() -> None:
    entry = {
        "Name": "a",
        "OwningService": "rds",
        "RotationEnabled": True,
        "Tags": [{"Key": "keyturn:policy", "Value": "group/gone"}, {"Key": "Owner", "Value": "team"}],
    }
    (one,) = AwsListing(AwsShop([entry], {}), caller(ours)).listed()
    assert one.owner == "team"
    assert one.note.split("; ") == [
        "belongs to the service rds",
        "rotated by a function that is not Keyturn's",
        "its policy group/gone was removed",
    ]


def test_every_page_and_every_folder_is_listed() -> None:
    said = found(shops(aws=aws(*"abcde"), vault=vault("a", "f/b", "f/g/c")), of_policies([]))
    assert [one.path for one in said.unmanaged] == [*"abcde", "keyturn/a", "keyturn/f/b", "keyturn/f/g/c"]


@pytest.mark.parametrize(
    "asks",
    [
        lambda: aws("a")._client.get_secret_value(SecretId="a"),
        lambda: vault("a")._client.read("keyturn/data/a"),
        lambda: gcp("a")._client.access_secret_version(name="a"),
    ],
    ids=["aws", "vault", "gcp"],
)
def test_the_models_of_these_tests_fail_whoever_asks_for_a_value(asks: Callable[[], object]) -> None:
    with pytest.raises(Forbidden):
        asks()


def test_a_part_that_may_not_be_seen_is_said_and_hides_nothing_else() -> None:
    refused = Denied("aws_denied", "AWS answered AccessDenied to GetResourcePolicy")
    said = found(shops(aws=aws("a", "b", a=refused), vault=vault("a", "f/b", denied=("f/",))), of_policies([]))
    assert [one.path for one in said.unmanaged] == ["a", "b", "keyturn/a"]
    assert [(one.what, one.reason) for one in said.not_listed] == [
        ("readers of a", "aws_denied"),
        ("keyturn/f/", "vault_denied"),
        ("old/", "kv_version_1"),
    ]
    assert all(one.remedy for one in said.not_listed)


def test_a_store_that_cannot_be_opened_leaves_the_others_as_they_are() -> None:
    def closed() -> Listing:
        raise Denied("no_credentials", "no token for Vault was found", "`vault login`")

    said = found({"vault": closed, **shops(gcp=gcp("legacy"))})
    assert [one.path for one in said.unmanaged] == ["legacy"]
    (missing,) = said.not_listed
    assert (missing.store, missing.reason, missing.remedy) == ("vault", "no_credentials", "`vault login`")


def policy_in(text: str, folder: Path) -> Policy:
    file = folder / "draft.py"
    file.write_text(text, encoding="utf-8")
    (policy,) = [one for name, one in runpy.run_path(str(file)).items() if name.startswith("DRAFT_")]
    assert isinstance(policy, Policy)
    return policy


@pytest.mark.parametrize("store", ["aws", "vault", "gcp"])
def test_a_draft_is_a_policy_that_the_lint_refuses_until_it_is_filled_in(store: str, tmp_path: Path) -> None:
    path = {"aws": "legacy/key", "vault": "keyturn/legacy/key", "gcp": "legacy-key"}[store]
    draft = policy_in(text_of(Found(store=store, path=path, created=MADE)), tmp_path)
    assert (draft.store, draft.path) == (store, path)
    circumstances = Circumstances(today=CHANGED.date(), alias_lag_s=0, client_poll_s=0)
    refused = {problem.field for problem in check_policies([draft], abilities(), circumstances)}
    assert {"credential", "cadence", "owner", "runbook", "target.authority"} <= refused
    assert "name" not in refused


@pytest.mark.parametrize("path", ['a"""\nimport os\n', "a'b", "{name}", "a\\", "é/ü", "//", "-a/-b/"])
def test_whatever_a_secret_is_called_its_draft_is_a_policy_and_nothing_else(path: str, tmp_path: Path) -> None:
    one = Found(store="vault", path=f"keyturn/{path}", owner=path, readers=(path,))
    draft = policy_in(text_of(one), tmp_path)
    assert (draft.path, draft.owner) == (one.path, path)
    circumstances = Circumstances(today=CHANGED.date(), alias_lag_s=0, client_poll_s=0)
    assert "name" not in {problem.field for problem in check_policies([draft], abilities(), circumstances)}, name_of(
        one
    )


def test_a_draft_is_never_written_over_and_two_stores_may_use_one_name(tmp_path: Path) -> None:
    both = [Found(store="aws", path="legacy/key"), Found(store="vault", path="keyturn/legacy/key")]
    first = write_drafts(both, tmp_path)
    assert [(one.file.name, one.written) for one in first] == [
        ("legacy_key.py", True),
        ("legacy_key_vault.py", True),
    ]
    mine = "# mine; path='legacy/key'\n"
    first[0].file.write_text(mine, encoding="utf-8")
    again = write_drafts(both, tmp_path)
    assert [one.written for one in again] == [False, False]
    assert first[0].file.read_text(encoding="utf-8") == mine


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> Shops:
    """What the command finds instead of stores; a test puts others into it."""
    made = shops(aws=aws("legacy/key"), vault=vault("partners/api-token"), gcp=gcp("legacy"))
    made["vault"] = lambda: VaultListing(OnlyVersionTwo(), caller(vault_client.translate))
    monkeypatch.setattr(discover_clients, "listings", lambda _: made)
    monkeypatch.setattr(verb, "known", lambda _: of_policies(ALL))
    return made


class OnlyVersionTwo(VaultShop):
    """No engine that could not be listed."""

    def __init__(self) -> None:
        super().__init__({"keyturn": ["partners/api-token"]})

    def read(self, path: str) -> dict[str, Any]:
        found = super().read(path)
        if path.startswith("sys/"):
            del found["data"]["secret"]["old/"]
        return found


def test_the_command_ends_well_when_all_stores_were_listed(command: Command, stores: Shops) -> None:
    del stores
    ended = command("discover", "--json")
    assert (ended.code, ended.document["ok"]) == (Exit.DONE, True)
    assert [one["path"] for one in ended.document["unmanaged"]] == ["legacy/key", "legacy"]
    assert "listing vault" in ended.err
    shown = command("discover")
    assert "rotated by a policy: 0 in aws, 1 in vault, 0 in gcp" in shown.out
    assert "legacy/key" in shown.out


def test_the_command_says_that_its_list_is_not_whole_and_why(command: Command, stores: Shops) -> None:
    stores["vault"] = lambda: vault(denied=("",))
    ended = command("discover", "--json")
    assert (ended.code, ended.document["ok"], ended.document["exit_code"]) == (Exit.INCOMPLETE, False, 24)
    assert ended.document["reason"] == "vault_denied"
    assert "not listed: keyturn/ in vault" in command("discover").out


def test_one_store_can_be_asked_alone_and_an_unknown_one_is_a_wrong_command_line(
    command: Command, stores: Shops
) -> None:
    def never() -> Listing:
        raise AssertionError("it is not asked for")

    stores["vault"] = stores["aws"] = never
    assert list(command("discover", "--store", "gcp", "--json").document["managed"]) == ["gcp"]
    assert command("discover", "--store", "azure").code == Exit.USAGE


def test_drafts_are_written_when_asked_for_and_named(command: Command, stores: Shops, tmp_path: Path) -> None:
    del stores
    first = command("discover", "--drafts", str(tmp_path / "new"), "--json").document["drafts"]
    assert [Path(one["file"]).name for one in first if one["written"]] == ["legacy_key.py", "legacy.py"]
    assert "left as it was:" in command("discover", "--drafts", str(tmp_path / "new")).out
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert command("discover", "--drafts", str(tmp_path / "file")).code == Exit.CONFIGURATION
