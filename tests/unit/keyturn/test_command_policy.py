"""`keyturn policy`: what a terminal and a program are told, and what a script can tell from the code."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from command_bench import Command, PackageOf

import policies
from keyturn import policy_revision
from keyturn.exits import Exit
from policies import PARTNERS_API_TOKEN, PAYMENTS_POSTGRES
from rotation.policy import Freeze, Policy, Waiver, Window

POLICY = """from rotation.policy import Policy, Target
ALL = (Policy(name="payments/postgres", store="aws", path="payments/postgres", credential="postgres-alternating",
    target=Target(facts={{}}, authority="a"), cadence="rate(30 days)", warm_up_s=60, overlap_s={overlap_s},
    owner="payments", runbook="docs/runbooks/rotation.md"),)
"""


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - the test's own


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of its own in the place of this checkout: `first` with an overlap of 24 h, the files with 1 h."""
    root = tmp_path / "checkout"
    (root / "policies").mkdir(parents=True)
    source = Path(policy_revision.ROOT, "rotation")
    (root / "rotation").mkdir()
    for name in ("__init__.py", "policy.py", "contract.py", "errors.py", "value.py"):
        (root / "rotation" / name).write_text((source / name).read_text())
    written = root / "policies" / "__init__.py"
    written.write_text(POLICY.format(overlap_s=86_400))
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message=first")
    git(root, "tag", "first")
    written.write_text(POLICY.format(overlap_s=3_600))
    given = policy_revision.documents
    monkeypatch.setattr("keyturn.commands.policy.documents", lambda revision: given(revision, root))
    return root


def test_show_prints_every_policy_in_a_row_and_one_of_them_field_by_field(command: Command) -> None:
    shown = command("policy", "show")
    assert shown.code == Exit.DONE
    for policy in policies.ALL:
        (row,) = [line for line in shown.out.splitlines() if line.startswith(policy.name)]
        assert policy.cadence in row
        assert policy.owner in row
    alone = command("policy", "show", "payments/postgres").out
    assert "payments/postgres, in policies/payments_postgres.py" in alone
    assert "target host        <postgresHost>" in alone
    assert "11-20 to 12-02 (the busiest days of the year)" in alone
    assert command("policy", "show", "--json").document["policies"][0]["name"] == policies.ALL[0].name


@pytest.mark.parametrize("verb", ["show", "explain"])
def test_a_policy_that_there_is_not_is_told_with_those_there_are(command: Command, verb: str) -> None:
    ended = command("policy", verb, "payments/mysql")
    assert ended.code == Exit.UNKNOWN_SECRET
    assert "no policy is called `payments/mysql`" in ended.err
    assert "payments/postgres" in ended.err


def test_the_policies_of_this_checkout_keep_to_every_rule_in_every_stack(command: Command) -> None:
    ended = command("policy", "lint", "--date", "2026-11-22")
    first, *notes = ended.out.splitlines()
    assert first == f"{len(policies.ALL)} policies keep to every rule on 2026-11-22, in local, prod, staging"
    assert all(note.endswith("is not in policies.ALL: nothing rotates by it") for note in notes)
    assert ended.code == Exit.DONE


def test_lint_tells_every_offender_with_file_field_rule_and_remedy(command: Command, listed: PackageOf) -> None:
    listed(replace(PAYMENTS_POSTGRES, owner="", overlap_s=60), replace(PARTNERS_API_TOKEN, parent="nobody"))
    ended = command("policy", "lint")
    assert ended.code == Exit.BAD_POLICY
    for told in (
        "policies/payments_postgres.py: payments/postgres owner: is blank [owner-missing]",
        "  name the team that answers for the credential",
        "overlap_s: 1 min is shorter than the poll interval of payments-service (1 h); the longest job of migrations",
        "policies/partners_api_token.py: partners/api-token parent: no policy is called nobody [parent-order]",
    ):
        assert told in ended.out
    document = command("policy", "lint", "--json").document
    assert not document["ok"]
    found = [(one["problem"]["policy"], one["problem"]["rule"], one["stacks"]) for one in document["problems"]]
    assert found == [
        ("payments/postgres", "owner-missing", ["local", "prod", "staging"]),
        ("payments/postgres", "overlap-below-floor", ["local", "prod", "staging"]),
        ("partners/api-token", "parent-order", ["local", "prod", "staging"]),
    ]


def test_lint_tells_which_files_nothing_rotates_by(command: Command, listed: PackageOf) -> None:
    listed(PAYMENTS_POSTGRES)
    ended = command("policy", "lint")
    assert ended.code == Exit.DONE
    assert "policies/partners_api_token.py is not in policies.ALL: nothing rotates by it" in ended.out
    assert "policies/payments_postgres.py" not in ended.out
    assert "policies/partners_api_token.py" in command("policy", "lint", "--json").document["unlisted"]


def test_lint_says_in_which_stack_an_overlap_is_too_short(command: Command, listed: PackageOf) -> None:
    listed(replace(policies.ANALYTICS_SIGNING_KEY, overlap_s=7_200))
    told = command("policy", "lint").out
    assert "2 h is shorter than the lag of readers by alias in gcp (4 h) (only in prod, staging)" in told
    assert command("policy", "lint", "--stack", "local").code == Exit.DONE


def test_lint_judges_waivers_as_of_the_day_that_it_is_given(command: Command, listed: PackageOf) -> None:
    waiver = Waiver(rule="group-alone", why="its neighbour comes later", owner="payments", expires="2026-12-31")
    listed(replace(PAYMENTS_POSTGRES, group="databases", waivers=(waiver,)))
    assert command("policy", "lint", "--date", "2026-12-31").code == Exit.DONE
    ended = command("policy", "lint", "--date", "2027-01-01")
    assert ended.code == Exit.BAD_POLICY
    assert "[waiver-expired]" in ended.out
    assert "[group-alone]" in ended.out
    assert command("policy", "lint", "--date", "soon").code == Exit.USAGE


def test_diff_speaks_as_a_reviewer_does_and_says_weaker_by_its_code(command: Command, repository: Path) -> None:
    ended = command("policy", "diff", "first")
    assert ended.out == "payments/postgres: overlap 24 h -> 1 h: weaker\n"
    assert ended.code == Exit.POLICY_WEAKER
    document = command("policy", "diff", "first", "--json").document
    assert document["direction"] == "weaker"
    (change,) = document["changes"]
    assert (change["field"], change["before"], change["after"]) == ("overlap_s", "24 h", "1 h")
    assert "| `payments/postgres` | `overlap` | `24 h` | `1 h` | **weaker** |" in (
        command("policy", "diff", "first", "--markdown").out
    )


def test_diff_of_two_revisions_looks_at_no_file_at_hand(command: Command, repository: Path) -> None:
    git(repository, "commit", "--quiet", "--all", "--message=second")
    (repository / "policies" / "__init__.py").write_text("broken(")
    assert command("policy", "diff", "first", "HEAD").code == Exit.POLICY_WEAKER
    assert command("policy", "diff", "HEAD", "first").code == Exit.POLICY_CHANGED
    same = command("policy", "diff", "first", "first")
    assert (same.code, same.out) == (Exit.DONE, "no policy differs\n")
    assert command("policy", "diff", "first", "first", "--json").document["direction"] == "same"


def test_diff_changes_nothing_in_the_checkout(command: Command, repository: Path) -> None:
    before = git(repository, "status", "--porcelain", "--ignored")
    command("policy", "diff", "first")
    assert git(repository, "status", "--porcelain", "--ignored") == before


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "first:policies"])
def test_diff_of_what_is_no_revision_says_so(command: Command, repository: Path, revision: str) -> None:
    ended = command("policy", "diff", "--", revision)
    assert ended.code == Exit.USAGE
    assert f"git knows no revision `{revision}` here" in ended.err


def test_diff_of_a_revision_without_policies_says_so(command: Command, repository: Path) -> None:
    git(repository, "rm", "--quiet", "-r", "--cached", "policies")
    git(repository, "commit", "--quiet", "--message=gone")
    ended = command("policy", "diff", "HEAD")
    assert ended.code == Exit.USAGE
    assert "the revision HEAD holds no policies" in ended.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ALL = (\n", "policies/__init__.py:1: SyntaxError: '(' was never closed"),
        ("import os\nALL = nothing\n", "policies/__init__.py:2: NameError: name 'nothing' is not defined"),
        ("import os\nos._exit(3)\n", "they end the interpreter that imports them"),
    ],
    ids=["syntax", "name", "exit"],
)
def test_broken_policies_of_a_revision_are_told_with_their_place(
    command: Command, repository: Path, text: str, told: str
) -> None:
    (repository / "policies" / "__init__.py").write_text(text)
    git(repository, "commit", "--quiet", "--all", "--message=broken")
    git(repository, "checkout", "--quiet", "first")
    ended = command("policy", "diff", "main")
    assert ended.code == Exit.BAD_POLICY
    assert "policies of main are wrong" in ended.err
    assert told in ended.err


def test_policies_that_do_not_come_to_an_end_are_given_up(
    command: Command, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_revision, "TIME_LIMIT_S", 1.0)
    (repository / "policies" / "__init__.py").write_text("import threading\nthreading.Event().wait()\n")
    ended = command("policy", "diff", "first")
    assert ended.code == Exit.BAD_POLICY
    assert "take longer than 1 s" in ended.err


def test_a_revision_reads_nothing_of_the_environment(
    command: Command, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARKER_OF_THE_TEST", "there")
    text = POLICY.format(overlap_s=86_400)
    (repository / "policies" / "__init__.py").write_text(
        f"import os\nassert 'MARKER_OF_THE_TEST' not in os.environ\n{text}"
    )
    assert command("policy", "diff", "first").code == Exit.DONE


# November 2026 begins on a Sunday; due on the 20th, frozen up to the 22nd, the window opens on Tuesday the 24th.
NOVEMBER = """\
November 2026
Mon Tue Wed Thu Fri Sat Sun
                         1-
 2-  3   4-  5-  6-  7-  8-
 9- 10  11- 12- 13- 14- 15-
16- 17  18- 19- 20> 21> 22>
23> 24* 25- 26- 27# 28# 29-
30-
"""


@pytest.fixture
def november(listed: PackageOf) -> Policy:
    frozen = (
        Freeze(first="2026-11-20", last="2026-11-22", why="a move"),
        Freeze(first="2026-11-27", last="2026-11-28", why="a feast"),
    )
    window = Window(opens=8, hours=4, days=("TUE",))
    one = replace(PAYMENTS_POSTGRES, cadence="rate(30 days)", window=window, freezes=frozen)
    listed(one)
    return one


def test_explain_draws_due_times_windows_and_freezes_on_a_calendar(command: Command, november: Policy) -> None:
    ended = command("policy", "explain", "payments/postgres", "--from", "2026-10-21")
    assert ended.code == Exit.DONE
    assert "2026-11-20 00:00:00Z  2026-11-24 08:00:00Z  4.33 d" in ended.out
    # of the months that stand side by side, November is the second
    start = next(line for line in ended.out.splitlines() if "November 2026" in line).index("November")
    block = [line[start : start + 28].rstrip() for line in ended.out.splitlines()]
    first = block.index("November 2026")
    assert block[first : first + 8] == NOVEMBER.rstrip("\n").split("\n")
    assert "* starts   > due, waits   # freeze   - window closed" in ended.out


def test_explain_tells_ten_rotations_each_from_the_start_of_the_one_before(command: Command, november: Policy) -> None:
    document = command("policy", "explain", "payments/postgres", "--from", "2026-10-21", "--json").document
    found = [(one["due"], one["start"]) for one in document["rotations"]]
    assert len(found) == 10
    assert found[:2] == [
        ("2026-11-20T00:00:00+00:00", "2026-11-24T08:00:00+00:00"),
        ("2026-12-24T00:00:00+00:00", "2026-12-29T08:00:00+00:00"),
    ]


def test_explain_says_never_of_what_can_never_start(command: Command, listed: PackageOf) -> None:
    listed(replace(PAYMENTS_POSTGRES, freezes=(Freeze(first="01-01", last="12-31", why="closed"),)))
    ended = command("policy", "explain", "payments/postgres", "--from", "2026-10-21")
    assert ended.code == Exit.DONE
    assert "2026-11-20 00:00:00Z  never" in ended.out
    assert "keyturn policy lint" in ended.err


def test_explain_of_a_cadence_that_cannot_be_read_leads_to_lint(command: Command, listed: PackageOf) -> None:
    listed(replace(PAYMENTS_POSTGRES, cadence="weekly"))
    ended = command("policy", "explain", "payments/postgres")
    assert ended.code == Exit.BAD_POLICY
    assert "is neither rate(n hours)" in ended.err
    assert "keyturn policy lint" in ended.err


def test_diff_of_mistyped_policies_names_them_and_their_fields(command: Command, repository: Path) -> None:
    (repository / "policies" / "__init__.py").write_text(POLICY.format(overlap_s="'24 h'"))
    ended = command("policy", "diff", "first")
    assert ended.code == Exit.BAD_POLICY
    assert "policies of the files at hand are wrong" in ended.err
    assert "policies/payments_postgres.py: policy payments/postgres, overlap_s: should be a valid integer" in ended.err


def test_looking_at_policies_needs_neither_a_cloud_nor_the_engine() -> None:
    heavy = ("boto3", "pulumi", "grpc", "hvac")
    script = (
        "from keyturn.app import main; import sys; main(['policy', 'show', '--json']);"
        f"print([n for n in {heavy!r} if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert done.stderr.strip() == "[]"
