"""The page about policies knows every field, every rule and every direction; its tables are those of the code."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from keyturn.exits import Exit
from keyturn.policy_directions import DIRECTIONS, IDENTITIES
from keyturn.stack import ROOT
from policy_rules.check import PROGRAM_RULES, RULES
from rotation.policy import Freeze, Policy, Window

PAGE = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")


def rules() -> str:
    rows = [f"| `{rule.name}` | {rule.says} | {'yes' if rule.waivable else 'no'} |" for rule in RULES.values()]
    rows += [f"| `{name}` | {says} | no |" for name, says in PROGRAM_RULES.items()]
    return "\n".join(["| rule | what must hold | may be waived |", "|---|---|---|", *rows])


def directions() -> str:
    rows = [
        f"| `{field}` | {(judge.__doc__ or '').splitlines()[0]} |"
        for field, judge in DIRECTIONS.items()
        if field != "policy"
    ]
    return "\n".join(["| field | which way |", "|---|---|", *rows])


@pytest.mark.parametrize(("mark", "wanted"), [("rules", rules()), ("directions", directions())])
def test_a_table_of_the_page_is_what_the_code_says(mark: str, wanted: str) -> None:
    found = re.search(rf"<!-- {mark} -->\n(.*?)\n?<!-- end -->", PAGE, re.DOTALL)
    assert found
    assert found[1] == wanted, f"put this between the marks of docs/policies.md:\n{wanted}"


def test_every_field_has_its_row_in_the_table_of_fields() -> None:
    described = set(re.findall(r"`([a-z_.]+)`", "\n".join(re.findall(r"^\| (`[^|]*) \|", PAGE, re.MULTILINE))))
    missing = ({field.name for field in fields(Policy)} - {"target"} | set(DIRECTIONS) | IDENTITIES) - {"policy"}
    assert missing - described == set()
    for part in (Window, Freeze):
        assert all(f"`{field.name}`" in PAGE for field in fields(part))


def test_the_page_names_the_codes_that_a_diff_ends_with() -> None:
    for code in (Exit.DONE, Exit.POLICY_CHANGED, Exit.POLICY_WEAKER):
        assert re.search(rf"^\| {int(code)} \|", PAGE, re.MULTILINE)
    assert f"ends with {int(Exit.BAD_POLICY)} if" in PAGE
