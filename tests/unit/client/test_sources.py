"""Each store's answers and refusals, as the cache gets them; pending versions never."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from google.api_core import exceptions as google_errors
from hvac import exceptions as hvac_errors

from keyturn.client import ClientError, Missing, Unavailable
from keyturn.client.settings import Settings
from keyturn.client.sources.aws import AwsSource
from keyturn.client.sources.google import GoogleSource
from keyturn.client.sources.vault import VaultSource

RUN = "0123456789abcdef0123456789abcdef"


def aws(*answers: dict[str, Any] | str) -> AwsSource:
    client = boto3.client("secretsmanager", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stubber = Stubber(client)
    for answer in answers:
        if isinstance(answer, str):
            stubber.add_client_error("get_secret_value", answer)
        else:
            stubber.add_response("get_secret_value", answer)
    stubber.activate()
    return AwsSource(client, "payments/postgres")


def test_aws_gives_the_current_version_and_one_by_id() -> None:
    answer = {"VersionId": RUN, "SecretString": "{}", "VersionStages": ["AWSCURRENT", "AWSPENDING"]}
    source = aws(answer, {**answer, "VersionStages": ["AWSPREVIOUS"]})

    assert source.current().store_version == RUN
    assert source.by_version(RUN).value.unsafe_fields() == {}


def test_aws_never_gives_a_pending_version() -> None:
    with pytest.raises(Missing, match="version_pending"):
        aws({"VersionId": RUN, "SecretString": "{}", "VersionStages": ["AWSPENDING"]}).by_version(RUN)


@pytest.mark.parametrize(
    ("code", "raised"),
    [("ResourceNotFoundException", Missing), ("AccessDeniedException", Missing), ("ThrottlingException", Unavailable)],
)
def test_aws_says_whether_asking_again_may_help(code: str, raised: type[ClientError]) -> None:
    with pytest.raises(raised, match=code):
        aws(code).current()


class Kv:
    """hvac's client, as far as the source uses it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.secrets = SimpleNamespace(kv=SimpleNamespace(v2=self))
        self.asked: list[dict[str, Any]] = []
        self._error = error

    def read_secret_version(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        if self._error:
            raise self._error
        return {"data": {"data": {"token": "t", "a": "b"}, "metadata": {"version": 3}}}


def test_vault_gives_the_live_path_and_its_number() -> None:
    kv = Kv()
    source = VaultSource(kv, "keyturn/partners/api-token")

    fetched = source.current()
    source.by_version("3")

    assert (fetched.store_version, fetched.value.unsafe_reveal()) == ("3", '{"a":"b","token":"t"}')
    assert [(asked["mount_point"], asked["path"], asked["version"]) for asked in kv.asked] == [
        ("keyturn", "partners/api-token", None),
        ("keyturn", "partners/api-token", 3),
    ]


@pytest.mark.parametrize(
    ("error", "raised"),
    [(hvac_errors.InvalidPath(), Missing), (hvac_errors.Forbidden(), Missing), (hvac_errors.VaultDown(), Unavailable)],
)
def test_vault_says_whether_asking_again_may_help(error: Exception, raised: type[ClientError]) -> None:
    with pytest.raises(raised):
        VaultSource(Kv(error), "keyturn/x").current()


@pytest.mark.parametrize("path", ["keyturn", "keyturn/pending/partners/api-token"])
def test_vault_refuses_a_path_that_is_no_live_secret(path: str) -> None:
    with pytest.raises(ClientError, match="bad_path"):
        VaultSource(Kv(), path)


class Manager:
    """Google's client, as far as the source uses it."""

    data = b"{}"

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[str] = []
        self._error = error

    def access_secret_version(self, *, name: str, timeout: float) -> Any:
        self.asked.append(name.rpartition("/")[2])
        if self._error:
            raise self._error
        return SimpleNamespace(name="projects/p/secrets/s/versions/7", payload=SimpleNamespace(data=self.data))


def test_google_reads_the_alias_or_the_pointers_number_and_says_which_may_lag() -> None:
    client = Manager()
    by_alias = GoogleSource(client, "projects/p/secrets/s")
    by_pointer = GoogleSource(client, "projects/p/secrets/s", pointer=lambda: "7")

    assert by_alias.current().store_version == by_pointer.current().store_version == "7"
    assert by_alias.by_version("5").store_version == "7"
    assert client.asked == ["current", "7", "5"]
    assert (by_alias.lagging, by_pointer.lagging) == (True, False)


def test_google_never_reads_the_latest_version() -> None:
    with pytest.raises(ClientError, match="bad_alias"):
        GoogleSource(Manager(), "projects/p/secrets/s", alias="latest")


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (google_errors.NotFound("x"), Missing),
        (google_errors.FailedPrecondition("x"), Missing),
        (google_errors.ServiceUnavailable("x"), Unavailable),
    ],
)
def test_google_says_whether_asking_again_may_help(error: Exception, raised: type[ClientError]) -> None:
    with pytest.raises(raised):
        GoogleSource(Manager(error), "projects/p/secrets/s").current()


def test_a_binary_value_is_refused_clearly_and_shown_to_nobody() -> None:
    client = Manager()
    client.data = b"\xffword"
    with pytest.raises(Missing, match="value_not_text") as google:
        GoogleSource(client, "projects/p/secrets/s").current()
    with pytest.raises(Missing, match="value_not_text"):
        aws({"VersionId": RUN, "SecretBinary": b"word", "VersionStages": ["AWSCURRENT"]}).current()

    assert google.value.__suppress_context__


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"stack": "local"}', '{"stack": "local", "keys": [{}]}'])
def test_settings_that_no_stack_published_are_refused(text: str) -> None:
    with pytest.raises(ClientError, match="bad_settings"):
        Settings.from_json(text)
