"""The policies of this tree: together they use every field, and each of them keeps to every rule."""

from __future__ import annotations

import ast
import importlib
from dataclasses import fields, replace
from pathlib import Path

import pytest
from policy_bench import ABILITIES, CIRCUMSTANCES

from policies import ALL
from policy_rules.check import check_policies
from policy_rules.rule import file_of
from rotation.policy import Approval, Consumer, Fact, Freeze, Policy, Target, Waiver, Window, from_document

FOLDER = Path(__file__).resolve().parents[3] / "policies"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
RUNBOOKS = {path.relative_to(FOLDER.parent).as_posix() for path in FOLDER.parent.glob("docs/runbooks/*.md")}


def of_file(name: str) -> Policy:
    return getattr(importlib.import_module(f"policies.{name}"), name.upper())  # type: ignore[no-any-return]


POLICIES = [of_file(name) for name in NAMES]


class Anything(dict[str, str]):
    """Facts of a stack that has every one."""

    def __missing__(self, key: str) -> str:
        return f"fact-{key}"

    def get(self, key: str, default: object = None) -> str:
        del default
        return self[key]

    def keys(self) -> set[str]:  # type: ignore[override]
        return {fact.name for policy in POLICIES for fact in _facts(policy)}


def _facts(policy: Policy) -> list[Fact]:
    roles = [consumer.role for consumer in policy.consumers]
    return [
        one for one in (policy.path, *policy.target.facts.values(), *policy.readers, *roles) if isinstance(one, Fact)
    ]


def resolved(policy: Policy) -> Policy:
    found = policy.resolve(Anything())
    if found.store != "gcp":
        return found
    prefix = "projects/p/secrets/"
    target = replace(found.target, authority=prefix + found.target.authority)
    return replace(found, path=prefix + found.ref.path, target=target)


def test_the_policies_together_use_every_field() -> None:
    trees = [ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8")) for name in NAMES]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for kind in (Policy, Target, Window, Freeze, Approval, Consumer, Waiver):
        made = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == kind.__name__]
        used = {keyword.arg for call in made for keyword in call.keywords}
        assert used == {field.name for field in fields(kind)}, kind.__name__


def test_every_policy_that_is_written_is_listed() -> None:
    assert {one.name for one in ALL} == {one.name for one in POLICIES}
    # one of each kind of work: with a store and a target each, announced and not, and by hand
    assert len({one.credential for one in ALL}) == len(ALL)
    assert {channel for one in ALL for channel in one.invalidate} == {"redis", "sqs", "rq"}


def test_the_policies_keep_to_every_rule_listed_or_not() -> None:
    from rotation.capabilities import issuer_capabilities  # noqa: PLC0415 - reads the classes of this tree

    issuers = issuer_capabilities()
    served = {store: set(issuers) for store in ABILITIES.stores}
    abilities = replace(ABILITIES, issuers=issuers, served=served, runbooks=RUNBOOKS)
    assert list(map(str, check_policies([resolved(one) for one in POLICIES], abilities, CIRCUMSTANCES))) == []


@pytest.mark.parametrize("policy", POLICIES, ids=NAMES)
def test_a_policy_lies_in_the_file_that_a_problem_would_name_and_reads_back_from_its_document(policy: Policy) -> None:
    assert (FOLDER.parent / file_of(policy.name)).is_file()
    again = from_document(resolved(policy).document())
    assert again == resolved(policy)


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_is_a_table_without_functions_loops_or_conditions(name: str) -> None:
    tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    assert all(isinstance(one, (ast.Expr, ast.ImportFrom, ast.Assign)) for one in tree.body)
    programming = (ast.Lambda, ast.comprehension, ast.IfExp, ast.BoolOp, ast.NamedExpr)
    assert not [node for node in ast.walk(tree) if isinstance(node, programming)]
