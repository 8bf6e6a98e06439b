"""`dialogkit form`: output and exit code in full."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dialogkit.cli.main import cli
from dialogkit.errors import ConfigError, FormError
from dialogkit.forms.build import build_form
from dialogkit.forms.versions import find_version
from dialogkit.steps import forms
from dialogkit.workspace import open_workspace

GOOD = """
| survey | type | name | label | disclosure | calculation |
| | text | a | A | none | |
| | calculate | team_contact | | none | '[contact]' |
| | note | n | Write to ${team_contact} | none | |
| settings | form_id | version |
| | good | 2026112001 |
"""
BAD = """
| survey | type | name | label | relevant |
| | integer | n_participants | N | |
| | text | t | T | ${n_participant} > 1 |
| settings | form_id | version |
| | bad | 1 |
"""
TOML = """
[workspace]
team_contact = "team@example.org"
[servers.field]
kind = "openrosa"
listen = "127.0.0.1:8790"
[forms.good]
file = "forms/good.md"
server = "field"
[forms.other]
file = "forms/good.md"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "good.md").write_text(GOOD, encoding="utf-8")
    (tmp_path / "bad.md").write_text(BAD, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def workspace(here: Path) -> Path:
    (here / "dialogkit.toml").write_text(TOML)
    (here / "forms").mkdir()
    (here / "good.md").rename(here / "forms" / "good.md")
    return here


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["form", *arguments])


def test_a_good_form_is_ok(here: Path) -> None:
    result = run("check", "good.md", "--no-odk-validate")
    assert (result.exit_code, result.stdout) == (0, "ok       good.md  good  version 2026112001  0 errors, 1 warning\n")
    assert result.stderr == (
        "warning[FORM-030] good.md, survey, row 3, calculation\n"
        "  team_contact still holds a placeholder in brackets, and the consent notes show it to people.\n"
        '  Write team_contact = "…" under [workspace] in dialogkit.toml, or fill the cell.\n'
    )


def test_a_refused_form_exits_4_with_what_where_and_what_to_do(here: Path) -> None:
    result = run("check", "good.md", "bad.md", "--no-odk-validate")
    assert result.exit_code == 4
    assert result.stdout.splitlines()[1] == "refused  bad.md  1 error, 0 warnings"
    assert (
        "error[FORM-012] bad.md, survey, row 3, relevant\n"
        "  ${n_participant} is not a question of this form.\n"
        "  Correct the name (did you mean ${n_participants}?) or add the question above row 3.\n"
    ) in result.stderr


def test_json_is_the_contract(here: Path) -> None:
    result = run("check", "good.md", "bad.md", "--json", "--no-odk-validate")
    assert result.exit_code == 4
    assert result.stderr == ""
    good, bad = json.loads(result.stdout)
    assert (good["file"], good["ok"], good["form_id"], good["version"]) == ("good.md", True, "good", "2026112001")
    assert [list(problem) for problem in good["problems"]] == [["code", "severity", "where", "message", "fix"]]
    assert bad == {
        "file": "bad.md",
        "ok": False,
        "form_id": None,
        "version": None,
        "problems": [
            {
                "code": "FORM-012",
                "severity": "error",
                "where": "bad.md, survey, row 3, relevant",
                "message": "${n_participant} is not a question of this form.",
                "fix": "Correct the name (did you mean ${n_participants}?) or add the question above row 3.",
            }
        ],
    }


def test_a_check_in_a_workspace_fills_in_the_texts_of_the_team(workspace: Path) -> None:
    result = run("check", "forms/good.md", "--no-odk-validate")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("0 errors, 0 warnings\n")


def test_a_check_may_name_the_workspace(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "good.md"
    elsewhere.write_text(GOOD)
    result = run("check", str(elsewhere), "--no-odk-validate", "-w", str(workspace))
    assert "FORM-030" not in result.stderr


def test_what_is_not_a_workbook_is_one_problem(here: Path) -> None:
    (here / "page.xlsx").write_text("<html></html>")
    result = run("check", "page.xlsx", "--json")
    assert result.exit_code == 4
    assert [problem["code"] for problem in json.loads(result.stdout)[0]["problems"]] == ["FORM-005"]


def test_odk_validate_is_asked_unless_left_out(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(here))
    assert "note[FORM-042] good.md\n" in run("check", "good.md").stderr
    assert "FORM-042" not in run("check", "good.md", "--no-odk-validate").stderr


@pytest.mark.parametrize("arguments", [["check", "none.xlsx"], ["check"], ["check", "."], ["build", "good.md"]])
def test_wrong_usage_exits_2(here: Path, arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_build_writes_the_form_its_markdown_and_media(here: Path) -> None:
    (here / "media").mkdir()
    (here / "media" / "a.png").write_bytes(b"png")
    (here / "good.md").write_text(
        GOOD.replace("| calculation |", "| calculation | media::image |", 1).replace(
            "| | text | a | A | none | |", "| | text | a | A | none | | a.png |"
        )
    )
    result = run("build", "good.md", "--to", "out")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "built  good  version 2026112001\n", "")
    assert {path.relative_to("out").as_posix() for path in Path("out").rglob("*")} == {
        "good.xml",
        "good.md",
        "media",
        "media/a.png",
    }
    assert Path("out/good.xml").read_bytes() == build_form(here / "good.md").xml
    assert build_form(Path("out/good.md")).form == build_form(here / "good.md").form


def test_build_in_a_workspace_fills_in_the_texts_of_the_team(workspace: Path) -> None:
    shipped = Path(__file__).parents[2] / "forms" / "jam_session.xlsx"
    result = run("build", str(shipped), "--to", "out")
    assert result.exit_code == 0
    assert build_form(Path("out/jam_session.xlsx")).form.by_path["team_contact"].calculation == "'team@example.org'"
    assert b"team@example.org" in Path("out/jam_session.xml").read_bytes()
    assert build_form(Path("out/jam_session.md")) == build_form(Path("out/jam_session.xlsx"))


def test_build_outside_of_a_workspace_leaves_the_texts(here: Path) -> None:
    assert run("build", "good.md", "--to", "out").exit_code == 0
    assert b"[contact]" in Path("out/good.xml").read_bytes()


def test_build_writes_nothing_when_one_form_is_refused(here: Path) -> None:
    result = run("build", "good.md", "bad.md", "--to", "out")
    assert result.exit_code == 4
    assert "error[FORM-012] bad.md" in result.stderr
    assert "error[FORM-010] bad.md\n  The form cannot be built: 1 problem." in result.stderr
    assert not Path("out").exists()


def test_build_refuses_two_forms_with_one_id(here: Path) -> None:
    (here / "copy.md").write_text(GOOD)
    result = run("build", "good.md", "copy.md", "--to", "out")
    assert result.exit_code == 4
    assert "error[FORM-054] copy.md" in result.stderr


def test_build_refuses_different_media_of_one_name(here: Path) -> None:
    for name in ("one", "two"):
        (here / name).mkdir()
        (here / name / "a.png").write_text(name)
        (here / name / f"{name}.md").write_text(
            "| survey | type | name | label | media::image |\n| | note | n | N | a.png |\n"
        )
    result = run("build", "one/one.md", "two/two.md", "--to", "out")
    assert result.exit_code == 4
    assert "error[FORM-055] two\n  Another form has a different file named a.png." in result.stderr
    assert not Path("out").exists()


def test_a_broken_workspace_is_not_passed_over(here: Path) -> None:
    (here / "dialogkit.toml").write_text("[workspace\n")
    assert run("build", "good.md", "--to", "out").exit_code == ConfigError.exit_code


def test_a_form_is_prepared_with_the_texts_of_the_team_and_its_version_kept(workspace: Path) -> None:
    opened = open_workspace(workspace)
    built = forms.prepare(opened, "good")
    assert built.form.by_path["team_contact"].calculation == "'team@example.org'"
    assert find_version(opened.versions, "good", "2026112001") == built.form


def test_a_form_under_another_name_is_not_prepared(workspace: Path) -> None:
    with pytest.raises(FormError) as caught:
        forms.prepare(open_workspace(workspace), "other")
    assert caught.value.code == "FORM-052"
    assert "[forms.good]" in caught.value.problem.fix


def test_a_form_with_a_placeholder_is_not_prepared_and_not_kept(workspace: Path) -> None:
    (workspace / "dialogkit.toml").write_text(TOML.replace('team_contact = "team@example.org"', ""))
    opened = open_workspace(workspace)
    with pytest.raises(FormError) as caught:
        forms.prepare(opened, "good")
    assert caught.value.code == "FORM-053"
    assert [problem.code for problem in caught.value.problems] == ["FORM-030"]
    assert not opened.versions.exists()


def test_a_form_that_is_not_named_in_the_workspace_is_not_prepared(workspace: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        forms.prepare(open_workspace(workspace), "gone")
    assert caught.value.code == "CONFIG-005"
