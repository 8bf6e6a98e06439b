"""`dialogkit rules`: what is wrong with files of rules is told before data come; every rule is listed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dialogkit.cli.main import cli
from dialogkit.forms.versions import keep_version
from dialogkit.model.form import BuiltForm
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import make_form

FORM = make_form(
    "visit",
    "1",
    [
        ("integer", "n", {"required": "yes", "constraint": ". < 9"}),
        ("text", "code"),
        ("calculate", "lot", {"calculation": "random()"}),
    ],
)
GOOD = """
[[rule]]
code = "R1"
type = "expect_column_values_to_be_unique"
column = "code"
scope = "form"
action = "hold"
mostly = 0.9
message.en = "Twice."
message.fr = "Deux fois\u00a0!"
[form.FORM-REQUIRED]
action = "note"
[form.FORM-CONSTRAINT]
action = "off"
"""
BAD = """
[[rule]]
code = "R2"
type = "unexpected_rows_expectation"
unexpected_rows_query = "SELECT * FROM {batch} WHERE nobody = 1"
action = "hold"
message.en = "No."
[[rule]]
code = "R3"
type = "expect_column_values_to_match_regex"
column = "code"
regex = "a"
action = "hold"
message.en = "No."
[[rule]]
code = "R4"
type = "expect_column_values_to_be_between"
column = "nn"
action = "stop"
message.en = "No."
[[rule]]
code = "R5"
type = "unexpected_rows_expectation"
unexpected_rows_query = "SELECT code FROM {batch}"
action = "note"
message.en = "No."
[form.FORM-REQUIRE]
action = "off"
[quality.near]
shear = 1
[quality.speeed]
"""


def run(*arguments: str | Path):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture
def place(tmp_path) -> Workspace:
    (tmp_path / "dialogkit.toml").write_text('[forms.visit]\nfile = "v.xlsx"\n')
    workspace = open_workspace(tmp_path)
    keep_version(workspace.versions, BuiltForm(FORM, b"<xml/>"))
    workspace.validations.mkdir()
    (workspace.validations / "visit.toml").write_text(GOOD)
    return workspace


def test_rules_that_can_work_are_counted_and_nothing_is_written(place: Workspace):
    before = sorted(place.root.rglob("*"))
    result = run("rules", "check", "-w", place.root)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "visit" in result.stdout
    assert sorted(place.root.rglob("*")) == before


def test_every_problem_is_told_at_once_and_the_command_ends_with_the_code_of_settings(place: Workspace):
    (place.validations / "visit.toml").write_text(BAD)
    (place.validations / "vist.toml").write_text("")
    result = run("rules", "check", "--json", "-w", place.root)
    assert result.exit_code == 3
    found = {one["form_id"]: one["problems"] for one in json.loads(result.stdout)}
    assert [problem["code"] for problem in found["visit"]] == [
        "CONFIG-050",
        "CONFIG-025",
        "CONFIG-021",
        "CONFIG-071",
        "CONFIG-070",
        "CONFIG-056",
        "CONFIG-056",
    ]
    assert all(problem["where"].startswith("validations/visit.toml, ") for problem in found["visit"])
    ran, lacking = found["visit"][-2:]
    assert "rule R2" in ran["where"]
    assert "nobody" in ran["message"]
    assert "must have _submission_id and _row" in lacking["message"]
    (stray,) = found["vist"]
    assert stray["code"] == "CONFIG-057"
    assert "Did you mean visit?" in stray["fix"]
    told = run("rules", "check", "visit", "-w", place.root)
    assert told.exit_code == 3
    assert told.stderr.count("error[CONFIG-") == 7
    assert "CONFIG-057" not in told.stderr
    # As a landing: what tables without rows show is found there by running them.
    listed = run("rules", "list", "visit", "-w", place.root)
    assert (listed.exit_code, listed.stderr.count("error[CONFIG-")) == (3, 5)


def test_a_file_that_is_no_toml_is_a_problem_like_others(place: Workspace):
    (place.validations / "visit.toml").write_text("not toml")
    result = run("rules", "check", "-w", place.root)
    assert result.exit_code == 3
    assert "error[CONFIG-020]" in result.stderr


def test_a_form_that_is_not_here_is_refused(place: Workspace):
    result = run("rules", "check", "nobody", "-w", place.root)
    assert result.exit_code == 3
    assert "CONFIG-005" in result.stderr


def test_every_rule_is_listed_with_its_origin_action_and_state(place: Workspace):
    result = run("rules", "list", "visit", "--json", "--language", "fr", "-w", place.root)
    assert (result.exit_code, result.stderr) == (0, "")
    rules = {one["code"]: one for one in json.loads(result.stdout)}
    assert rules["R1"] == {
        "form_id": "visit",
        "code": "R1",
        "action": "hold",
        "mostly": 0.9,
        "from": "people",
        "path": "code",
        "table": "visit",
        "state": "compiled",
        "reason": "",
        "message": "Deux fois\u00a0!",
    }
    required = rules["FORM-REQUIRED:n"]
    assert (required["action"], required["from"], required["state"]) == ("note", "form", "compiled")
    off = rules["FORM-CONSTRAINT:n"]
    assert (off["action"], off["state"]) == ("off", "off")
    chance = rules["FORM-CALCULATION:lot"]
    assert chance["state"] == "not decidable"
    assert "random()" in chance["reason"]
    # A space where no line may end is no control character.
    assert "Deux fois\u00a0!" in run("rules", "list", "--language", "fr", "-w", place.root).stdout


def test_a_rule_is_a_line_and_its_message_stands_below(place: Workspace):
    lines = run("rules", "list", "visit", "-w", place.root).stdout.splitlines()
    rule = lines.index("visit  hold  R1  (mostly 0.9)")
    assert lines[rule + 1] == "  Twice."
    assert "visit  off  FORM-CONSTRAINT:n" in lines
    assert "visit  note  FORM-CALCULATION:lot  (not decidable)" in lines


def test_what_cannot_be_decided_is_listed_alone_with_the_reason(place: Workspace):
    head, message, reason = run("rules", "list", "--undecided", "-w", place.root).stdout.splitlines()
    assert (head, message[:2]) == ("visit  note  FORM-CALCULATION:lot  (not decidable)", "  ")
    assert "random()" in reason
    as_json = json.loads(run("rules", "list", "--undecided", "--json", "-w", place.root).stdout)
    assert [one["code"] for one in as_json] == ["FORM-CALCULATION:lot"]


def test_rules_are_exported_into_a_folder(place: Workspace, tmp_path: Path):
    result = run("rules", "export", "--to", tmp_path / "out", "-w", place.root)
    assert result.exit_code == 0
    assert {"README.md", "visit.sql", "visit.check_0.json", "visit.check_1.json"} <= {
        path.name for path in (tmp_path / "out").iterdir()
    }
