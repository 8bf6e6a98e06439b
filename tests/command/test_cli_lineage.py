"""`dialogkit form lineage`: the ways of questions, what is asked, and the file that answers go into."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dialogkit.cli.main import cli
from dialogkit.forms.versions import keep_version
from dialogkit.model.form import BuiltForm
from dialogkit.warehouse.connect import writing
from dialogkit.workspace import open_workspace
from tests.builders import Row, make_form


def versions(*rows: list[Row], first: int = 1) -> None:
    for number, some in enumerate(rows, start=first):
        keep_version(Path("warehouse/versions"), BuiltForm(make_form("talk", str(number), some), b"<h/>"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("dialogkit.toml").write_text('[forms.talk]\nfile = "forms/talk.xlsx"\n')
    where = {"labels": {"": "Where is it?"}}
    side = ("select_one", "place", {"was": "town", "choices": ["north", "south"]})
    other = ("select_one", "place", {"was": "town", "choices": ["n", "south"]})
    versions(
        [("text", "town"), ("text", "g/said"), ("text", "old place", where), ("text", "stays"), ("text", "goes")],
        [side, ("text", "said"), ("text", "it's", where), ("text", "stays")],
        [other, ("text", "said"), ("text", "it's", where), ("text", "stays")],
    )
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["form", "lineage", *words])


QUESTION = """
Is it's (2) the same question as old place before?
  before: “Where is it?”, now: “Where is it?”
  yes: dialogkit form lineage talk --same 'old place' 'it'"'"'s'
  no:  dialogkit form lineage talk --different 'old place' 'it'"'"'s'
"""


def test_each_changed_question_has_a_line_and_each_open_one_the_command_that_answers_it(here: Path) -> None:
    result = run("talk")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "town (1) → place (2, was, retyped: text → select_one) → place (3, recoded: −north +n)\n"
        "g/said (1) → said (2, name)\n"
        "old place (1) → (2, removed)\n"
        "goes (1) → (2, removed)\n"
        "3 versions of talk, 6 questions, 4 changed, 1 to answer.\n" + QUESTION
    )


def test_all_shows_what_no_version_changed_too(here: Path) -> None:
    lines = run("talk", "--all").stdout.splitlines()
    assert "stays (1)" in lines
    assert "it's (2)" in lines


def test_an_answer_is_written_beside_the_workbook_and_holds_at_once(here: Path) -> None:
    result = run("talk", "--same", "old place", "it's")
    assert result.exit_code == 0
    assert result.stderr == (
        "written: forms/talk.lineage.toml\n"
        "Answers that were landed in two columns come into one with: dialogkit land --rebuild\n"
    )
    assert "old place (1) → it's (2, decision)\n" in result.stdout
    assert "0 to answer." in result.stdout
    assert Path("forms/talk.lineage.toml").read_text().endswith('\n[same]\n"old place" = "it\'s"\n')


def test_a_later_answer_takes_the_place_of_the_earlier_one(here: Path) -> None:
    run("talk", "--same", "old place", "it's")
    result = run("talk", "--different", "old place", "it's")
    assert result.exit_code == 0
    assert "old place (1) → (2, removed)\n" in result.stdout
    assert "0 to answer." in result.stdout
    assert Path("forms/talk.lineage.toml").read_text().endswith('\n[different]\n"old place" = "it\'s"\n')
    assert "decision" in run("talk", "--same", "old place", "it's").stdout
    assert "[different]" not in Path("forms/talk.lineage.toml").read_text()


def test_json_has_every_step_that_changed_something_and_the_questions(here: Path) -> None:
    found = json.loads(run("talk", "--json").stdout)
    assert list(found) == ["form_id", "versions", "steps", "same", "questions"]
    assert (found["form_id"], found["versions"]) == ("talk", ["1", "2", "3"])
    assert found["same"] == {"town": "place", "g/said": "said"}
    assert found["steps"][-1] == {
        "version": "3",
        "position": 2,
        "path": "place",
        "fate": "recoded",
        "was": "",
        "detail": "−north +n",
        "because": "path",
    }
    assert found["questions"] == [
        {
            "version": "2",
            "was": "old place",
            "path": "it's",
            "because": "",
            "detail": "",
            "yes": "dialogkit form lineage talk --same 'old place' 'it'\"'\"'s'",
            "no": "dialogkit form lineage talk --different 'old place' 'it'\"'\"'s'",
        }
    ]
    every = json.loads(run("talk", "--json", "--all").stdout)["steps"]
    assert len([step for step in every if step["fate"] == "same"]) == 4


def test_a_decision_that_cannot_hold_is_refused_and_nothing_is_written(here: Path) -> None:
    result = run("talk", "--same", "town", "stays")
    assert result.exit_code == 4
    assert "FORM-085" in result.stderr
    assert "town and stays cannot be the same question" in result.stderr
    result = run("talk", "--same", "twon", "place")
    assert result.exit_code == 4
    assert "FORM-081" in result.stderr
    assert "Did you mean town?" in result.stderr
    assert not Path("forms/talk.lineage.toml").exists()


def test_a_path_in_the_file_that_no_version_has_is_told(here: Path) -> None:
    Path("forms").mkdir()
    Path("forms/talk.lineage.toml").write_text('[same]\nold = "place"\n')
    result = run("talk")
    assert result.exit_code == 4
    assert "[FORM-081] talk.lineage.toml" in result.stderr


def test_a_path_that_only_phones_know_can_be_decided(here: Path) -> None:
    with writing(open_workspace(here).warehouse) as db:
        db.execute("INSERT INTO ops.drift VALUES ('uuid:1', 'talk', '', 'tonw', '')")
    assert "FORM-081" in run("talk", "--same", "twon", "place").stderr
    assert run("talk", "--same", "tonw", "place").exit_code == 0
    assert json.loads(run("talk", "--json").stdout)["same"]["tonw"] == "place"


def test_a_form_of_which_no_version_is_kept_and_one_that_nobody_knows_are_told_apart(here: Path) -> None:
    Path("dialogkit.toml").write_text('[forms.new]\nfile = "forms/new.xlsx"\n')
    assert "FORM-084" in run("new").stderr
    assert "CONFIG-005" in run("nobody").stderr
    assert run("talk").exit_code == 0


def test_names_of_questions_cannot_command_the_terminal(here: Path) -> None:
    versions([("text", "\x1b[31mred\nline"), ("text", "town")], first=4)
    result = run("talk", "--all")
    assert "\x1b" not in result.stdout
    assert "\ufffd[31mred line (4)" in result.stdout


def test_a_line_of_the_file_that_cannot_hold_is_told(here: Path) -> None:
    Path("forms").mkdir()
    Path("forms/talk.lineage.toml").write_text('[same]\n"g/said" = "stays"\n')
    result = run("talk")
    assert result.exit_code == 0
    assert result.stderr == "without effect, because they cannot be one question: g/said = stays\n"
