"""A log line is one JSON object with run id and request id, obeys LOG_LEVEL, never fails and holds nothing secret."""

from __future__ import annotations

import base64
import json
import logging
import secrets
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation import logs
from rotation.redaction import DEEPEST, REDACTED, SECRET_KEYS, Redactor
from rotation.value import SecretValue

MARKER = "Mark3r-hunter2"
CLEAN = Redactor()
JWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbmFseXRpY3MifQ.c2lnbmF0dXJlLW9mLWEtdG9rZW4"
PEM_BODY = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v"


class Output:
    """What came out, line by line."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.text = ""

    def lines(self) -> list[dict[str, Any]]:
        self.text = self._capsys.readouterr().err
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def output(logging_put_back: None, capsys: pytest.CaptureFixture[str]) -> Output:
    return Output(capsys)


def log() -> logging.Logger:
    return logging.getLogger(logs.LOGGER)


def test_every_line_is_one_json_object_with_time_level_message_run_id_and_request_id(output: Output) -> None:
    bound = {"run_id": "r1", "request_id": "q1"}
    logs.configure("INFO", (), bound)
    log().info("first\nline", extra={"fields": {"phase": "prepare", "calls": {"read": 2}}})
    bound.update(run_id="r2", request_id="q2")
    logging.getLogger("some.vendor").warning("second %s", "line")
    first, second = output.lines()
    assert (first["run_id"], first["request_id"], first["message"]) == ("r1", "q1", "first\nline")
    assert (first["phase"], first["calls"], first["level"]) == ("prepare", {"read": 2}, "INFO")
    assert (second["run_id"], second["request_id"], second["message"]) == ("r2", "q2", "second line")
    assert first["time"][:4].isdigit()


def test_a_line_before_the_first_invocation_has_both_ids_too(output: Output) -> None:
    logs.configure("INFO", (), {})
    log().info("cold start")
    assert output.lines()[0].items() >= {"run_id": "", "request_id": ""}.items()


def test_a_field_cannot_replace_the_run_id_nor_the_level(output: Output) -> None:
    logs.configure("INFO", (), {"run_id": "r1"})
    log().info("line", extra={"fields": {"run_id": "other", "level": "none", "message": "other"}})
    assert output.lines()[0].items() >= {"run_id": "r1", "level": "INFO", "message": "line"}.items()


@pytest.mark.parametrize(
    ("level", "seen"),
    [
        ("DEBUG", ["DEBUG", "INFO", "WARNING", "ERROR"]),
        ("INFO", ["INFO", "WARNING", "ERROR"]),
        ("warning ", ["WARNING", "ERROR"]),
        ("ERROR", ["ERROR"]),
        ("LOUD", ["INFO", "WARNING", "ERROR"]),
        ("", ["INFO", "WARNING", "ERROR"]),
    ],
)
def test_log_level_is_obeyed_and_a_bad_one_is_info(output: Output, level: str, seen: list[str]) -> None:
    logs.configure(level, (), {})
    for name in ("DEBUG", "INFO", "WARNING", "ERROR"):
        log().log(logging.getLevelNamesMapping()[name], "line")
    assert [line["level"] for line in output.lines()] == seen


@pytest.mark.parametrize("vendor", ["botocore.parsers", "urllib3.connectionpool", "grpc", "hvac", "google.auth", "new"])
def test_vendors_stay_at_warning_at_debug_and_follow_a_level_above_it(output: Output, vendor: str) -> None:
    logs.configure("DEBUG", (), {})
    logging.getLogger(vendor).info("a body")
    logging.getLogger(vendor).warning("retrying")
    assert [line["message"] for line in output.lines()] == ["retrying"]
    logs.configure("ERROR", (), {})
    logging.getLogger(vendor).warning("retrying")
    assert output.lines() == []


def test_configuring_twice_writes_each_line_once(output: Output) -> None:
    logs.configure("INFO", (), {})
    logs.configure("INFO", (), {})
    log().info("once")
    assert len(output.lines()) == 1


def test_an_exceptions_traceback_stays_readable_and_loses_its_tokens(output: Output) -> None:
    logs.configure("INFO", (), {})
    try:
        raise ValueError(f"refused {JWT} and password={MARKER}")
    except ValueError:
        log().exception("phase failed")
    (line,) = output.lines()
    assert JWT not in output.text
    assert MARKER not in output.text
    assert __file__ in line["exception"]
    assert "ValueError: refused [redacted] and password=[redacted]" in line["exception"]


def test_a_message_whose_arguments_do_not_fit_gives_a_line_without_the_arguments(output: Output) -> None:
    logs.configure("INFO", (), {})
    log().info("two %s %s", MARKER)
    (line,) = output.lines()
    assert "could not be written: TypeError" in line["message"]
    assert MARKER not in output.text


class Hostile:
    """Fails whenever it is looked at."""

    def __str__(self) -> str:
        raise RuntimeError(MARKER)

    __repr__ = __str__


def test_objects_keys_and_bytes_of_any_kind_give_a_line(output: Output) -> None:
    logs.configure("INFO", (), {})
    keys = {1: "a", None: "b", (1, 2): "c", Hostile(): "d", b"password": MARKER, 2.5: float("nan")}
    log().info("line", extra={"fields": {"keys": keys, "bytes": MARKER.encode(), "hostile": Hostile(), "set": {1}}})
    log().info("%s", Hostile())
    fields, hostile = output.lines()
    assert fields["keys"]["1"] == "a"
    assert fields["keys"]["2.5"] == "nan"
    assert (fields["bytes"], fields["hostile"], fields["set"]) == ("<bytes>", "<Hostile>", [1])
    assert "RuntimeError" in hostile["message"]
    assert MARKER not in output.text


def test_a_secret_value_prints_as_nothing_in_field_and_message(output: Output) -> None:
    logs.configure("INFO", (), {})
    log().info("got %s", SecretValue(MARKER), extra={"fields": {"value": SecretValue(MARKER)}})
    assert output.lines()[0]["message"] == "got SecretValue(***)"
    assert MARKER not in output.text


def test_circular_values_survive() -> None:
    circle: dict[str, Any] = {"name": "a"}
    circle["again"] = [circle]
    assert CLEAN.clean(circle) == {"name": "a", "again": ["[circular]"]}


def test_the_same_value_twice_is_no_circle() -> None:
    shared = {"name": "a"}
    assert CLEAN.clean([shared, shared]) == [shared, shared]


def test_huge_nesting_is_cut() -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    assert json.dumps(CLEAN.clean(nested)).count("[") == DEEPEST + 1


REQUIRED = ("password", "secret", "token", "api key", "auth", "bearer", "credential")


@pytest.mark.parametrize("key", [*REQUIRED, *SECRET_KEYS, "SecretString", "X-Api-Key", "Authorization", "privateKey"])
def test_a_value_is_hidden_by_its_key_however_the_key_is_written(key: str) -> None:
    for written in (key, key.upper(), f"db_{key}", f"{key}s", f"my-{key}-2"):
        assert CLEAN.clean({"outer": [{written: {"deep": MARKER}}]}) == {"outer": [{written: REDACTED}]}


@pytest.mark.parametrize(
    "text",
    [
        f"password={MARKER} host=db",
        f"{{'SecretString': '{MARKER}', 'host': 'db'}}",
        f'{{"password":"{MARKER}","host":"db"}}',
        f'"{{\\"token\\": \\"{MARKER}\\"}}"',
        f"GET /path?api_key={MARKER}&host=db",
        f"ALTER ROLE app PASSWORD '{MARKER}'",
        f"Authorization: Basic {MARKER}",
        f"X-Vault-Token: {MARKER}",
        f"Bearer {MARKER}",
        f"Connection(password='{MARKER}', host='db')",
    ],
)
def test_a_value_is_hidden_by_its_key_inside_a_message(text: str) -> None:
    cleaned = CLEAN.clean(text)
    assert MARKER not in cleaned
    assert REDACTED in cleaned


def test_pii_keys_hide_more_keys_and_an_empty_one_hides_nothing() -> None:
    redactor = Redactor(["e-mail", " Geburtsdatum ", "имя", "", " - "])
    hidden = {"eMail": MARKER, "geburtsdatum": MARKER, "Имя": MARKER, "user_e_mail": MARKER}
    assert redactor.clean({**hidden, "host": "db"}) == {**dict.fromkeys(hidden, REDACTED), "host": "db"}
    assert MARKER not in redactor.clean(f"e-mail={MARKER}")


def test_names_of_secrets_and_public_parts_stay_readable() -> None:
    line = {"policy": "payments/postgres", "secret_id": "payments/postgres", "authority": "keyturn/authority/a"}
    assert CLEAN.clean(line) == line


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:states:eu-central-1:222222222222:execution:keyturn-prod-rotate:rotate-payments-Postgres-0a1b2c3d4e5f",
        "arn:aws:secretsmanager:eu-central-1:222222222222:secret:keyturn/authority/payments-postgres-AbCd12",
        "projects/keyturn-prod/secrets/Analytics-Signing-Key-Of-Everything/versions/12",
        "a3f5" * 16,
        "2026-01-01T00:00:00.000000Z",
        "/var/task/rotation/Handlers/some_long_folder_name_Of_40_characters/aws.py",
        "policies/analytics/signing-key.json",
        "the token is done already [token_not_pending]",
        "ProvisionedThroughputExceededException",
    ],
)
def test_names_digests_and_paths_stay_readable(text: str) -> None:
    assert CLEAN.clean(f"look at {text}") == f"look at {text}"


@pytest.mark.parametrize("around", ["{}", "value:{}", "token is {}.", "hvs.{}", "ya29.{}-", "({})", "é{}", "x={},"])
@given(st.binary(min_size=32, max_size=96))
def test_long_base64_of_either_alphabet_is_hidden_wherever_it_stands(around: str, raw: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(raw).decode()
        if encoded.upper() == encoded or encoded.lower() == encoded:
            # not told apart from a digest or a constant's name; one in a million million of random values
            continue
        assert encoded.rstrip("=") not in CLEAN.clean(around.format(encoded))


def test_what_this_program_mints_is_hidden_by_shape_alone() -> None:
    for _ in range(2_000):
        token = secrets.token_urlsafe(32)
        assert token not in CLEAN.clean(f"sent {token} to the partner")


@pytest.mark.parametrize("kind", ["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY"])
@pytest.mark.parametrize("end", [True, False])
def test_a_pem_block_is_hidden_also_when_it_was_cut_off(kind: str, end: bool) -> None:
    block = f"-----BEGIN {kind}-----\n{PEM_BODY}\n" + (f"-----END {kind}-----" if end else "")
    assert PEM_BODY not in CLEAN.clean(f"key: {block}")


def test_a_token_is_hidden_in_the_key_of_a_mapping_too() -> None:
    assert CLEAN.clean({JWT: 1}) == {REDACTED: 1}


def test_redacting_a_long_text_takes_time_in_proportion_to_it() -> None:
    # every class of characters that a pattern repeats; a backtracking pattern would not come back from these
    for piece in ("/", "a/", "eyJ", "x-", "a.", "-----BEGIN A-----", "'", "\\", "password=", "aA1", "arn:aws:"):
        CLEAN.clean(piece * (100_000 // len(piece)))


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.integers(), inner, max_size=4),
    max_leaves=20,
)


@given(json_like)
def test_anything_becomes_strict_json_and_cleaning_twice_changes_nothing(value: Any) -> None:
    cleaned = CLEAN.clean(value)
    json.dumps(cleaned, allow_nan=False)
    assert CLEAN.clean(cleaned) == cleaned


@given(json_like, st.sampled_from(SECRET_KEYS))
def test_nothing_below_a_secret_key_comes_through(value: Any, key: str) -> None:
    assert CLEAN.clean({"a": [{key: value}]}) == {"a": [{key: REDACTED}]}
