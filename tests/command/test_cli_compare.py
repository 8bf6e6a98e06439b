"""`dialogkit form compare`: output and exit code in full."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dialogkit.cli.main import cli

OLD = """
| survey | type | name | label | concept | required |
| | text | said | What? | | |
| | select_one kind | kind | Which? | barrier.type | |
| choices | list_name | name | label |
| | kind | tax | Tax |
| | kind | law | Law |
| settings | form_id | version |
| | talk | 1 |
"""
NEW = """
| survey | type | name | label | concept | required |
| | integer | said | What did they say, all of them, in as many words as it took? | | yes |
| | select_one kind | kind | Which? | barrier.type | |
| choices | list_name | name | label |
| | kind | law | Law |
| settings | form_id | version |
| | talk | 2 |
"""
RETYPED = "Answers of type text that are stored cannot be read as integer: they keep their own column."

NO_WORKSPACE = "There is no workspace here: which rules and findings read the answers is not known.\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "old.md").write_text(OLD)
    (tmp_path / "new.md").write_text(NEW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["form", "compare", *words])


def test_what_changed_stands_in_groups_and_what_breaks_under_it(here: Path) -> None:
    result = run("old.md", "new.md")
    assert (result.exit_code, result.stderr) == (4, NO_WORKSPACE)
    assert result.stdout == (
        "Form\n"
        "  version    1 → 2\n"
        "\n"
        "Types\n"
        "  retyped  said  text → integer\n"
        f"           breaks: {RETYPED}\n"
        "\n"
        "Choices\n"
        "  choice gone  kind/tax  tax\n"
        "               breaks: Stored answers of kind with this code stand for no choice any more.\n"
        "\n"
        "Logic\n"
        "  required  said  (none) → yes\n"
        "\n"
        "Texts and looks\n"
        "  label  said  What? → What did they say, all of them, in as many word…\n"
        "\n"
        "5 changes, 2 of which break answers, rules or findings.\n"
    )


def test_json_is_the_contract(here: Path) -> None:
    result = run("old.md", "new.md", "--json")
    assert result.exit_code == 4
    found = json.loads(result.stdout)
    assert list(found) == ["old", "new", "same", "breaking", "changes"]
    assert found["old"] == {"file": "old.md", "form_id": "talk", "version": "1"}
    assert found["new"] == {"file": "new.md", "form_id": "talk", "version": "2"}
    assert (found["same"], found["breaking"]) == (False, True)
    assert [list(change) for change in found["changes"]] == [["kind", "path", "before", "after", "breaks"]] * 5
    assert found["changes"][1] == {
        "kind": "retyped",
        "path": "said",
        "before": "text",
        "after": "integer",
        "breaks": RETYPED,
    }


def test_the_same_form_is_the_same_in_another_kind_of_workbook(here: Path) -> None:
    forms = Path(__file__).parents[2] / "forms"
    result = run(str(forms / "jam_session.xlsx"), str(forms / "jam_session.md"))
    assert (result.exit_code, result.stdout) == (0, "Nothing changed.\n")
    assert json.loads(run("old.md", "old.md", "--json").stdout)["same"]


def test_what_breaks_nothing_ends_with_0(here: Path) -> None:
    (here / "new.md").write_text(OLD.replace("What?", "What else?").replace("talk | 1", "talk | 2"))
    result = run("old.md", "new.md")
    assert result.exit_code == 0
    assert result.stdout.endswith("2 changes, none of which breaks answers, rules or findings.\n")


def test_a_form_that_was_changed_under_its_version_is_told(here: Path) -> None:
    (here / "new.md").write_text(OLD.replace("What?", "What else?"))
    assert "  version    still 1, although the form changed: raise it\n" in run("old.md", "new.md").stdout


def test_in_a_workspace_rules_and_findings_that_lose_something_are_named(here: Path) -> None:
    (here / "dialogkit.toml").write_text("[workspace]\n")
    (here / "validations").mkdir()
    (here / "validations" / "talk.toml").write_text(
        '[[rule]]\ncode = "TALK-1"\ncolumn = "said"\n[[rule]]\ncode = "TALK-2"\nwhen = "${said} != \'\'"\n'
        '[[rule]]\ncode = "TALK-3"\nunexpected_rows_query = "SELECT * FROM {batch} WHERE length(said) > 3"\n'
        '[[rule]]\ncode = "TALK-4"\ncolumn_list = ["kind"]\n'
    )
    (here / "warehouse" / "findings").mkdir(parents=True)
    head = "-- title: t\n-- base: b\n-- measure: m\n-- small cells: n\n-- source: s\n"
    (here / "warehouse" / "findings" / "F1.sql").write_text(f"{head}-- event.code\nFROM concepts.dialogue_barriers\n")
    (here / "warehouse" / "findings" / "F2.sql").write_text(f"{head}FROM concepts.records\n")
    (here / "new.md").write_text(OLD.replace("| barrier.type |", "| |").replace("text | said", "text | spoken"))
    found = json.loads(run("old.md", "new.md", "--json").stdout)
    breaks = {change["kind"]: change["breaks"] for change in found["changes"]}
    assert NO_WORKSPACE not in run("old.md", "new.md").stderr
    assert breaks["removed"].endswith("leave it empty. Rules TALK-1, TALK-2, TALK-3 read it.")
    assert breaks["concept"] == "Finding F1 reads barrier.type."


def test_rules_that_are_no_toml_are_not_passed_over(here: Path) -> None:
    (here / "dialogkit.toml").write_text("[workspace]\n")
    (here / "validations").mkdir()
    (here / "validations" / "talk.toml").write_text("[[rule]\n")
    result = run("old.md", "new.md")
    assert result.exit_code == 3
    assert "error[CONFIG-020] talk.toml" in result.stderr


def test_a_form_that_does_not_build_is_refused_with_its_problems(here: Path) -> None:
    (here / "new.md").write_text(OLD.replace("select_one kind", "select_one other"))
    result = run("old.md", "new.md")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "error[FORM-010] new.md" in result.stderr


def test_commands_for_the_terminal_in_a_workbook_are_not_carried_out(here: Path) -> None:
    (here / "new.md").write_text(OLD.replace("What?", "What\u009b2J?"))
    assert "\u009b" not in run("old.md", "new.md").stdout


@pytest.mark.parametrize("words", [["old.md"], ["old.md", "none.md"], []])
def test_wrong_usage_exits_2(here: Path, words: list[str]) -> None:
    assert run(*words).exit_code == 2
