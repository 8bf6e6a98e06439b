"""`dialogkit form simulate`: what is written, what is told, what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dialogkit.cli.main import cli
from dialogkit.instance import read_instance
from dialogkit.model.synthetic import DEVICE, PREFIX

FORM = """
| survey |
| | type | name | label | relevant | constraint | required | calculation | appearance |
| | deviceid | phone | | | | | | |
| | select_one yn | agree | Agree? | | | yes | | |
| | integer | age | Age | ${agree} = 'yes' | . >= 18 and . < 30 | yes | | |
| | image | photo | Photo | | | yes | | |
| | text | never | Never | 1 = 2 | | | | |
| | text | maybe | Maybe | ${agree} = 'maybe' | | | | |
| | hidden | source | | | | | | |
| | text | deep | Deep | ${source} != '' | | | | |
| | integer | none | None | ${agree} = 'no' | . > 5 and . < 4 | yes | | |
| | calculate | dice | | | | | random() | |
| choices |
| | list_name | name | label |
| | yn | yes | Yes |
| | yn | no | No |
| settings |
| | form_title | form_id | version |
| | Visit | visit | 3 |
"""


@pytest.fixture
def form(tmp_path: Path) -> Path:
    path = tmp_path / "visit.md"
    path.write_text(FORM, encoding="utf-8")
    return path


def simulate(form: Path, *more: str) -> Result:
    arguments = ["form", "simulate", str(form), "--to", str(form.parent / "out"), "-n", "20", "--today", "2026-11-20"]
    return CliRunner().invoke(cli, [*arguments, *more])


def test_each_submission_has_a_folder_with_its_files(form: Path) -> None:
    assert simulate(form).exit_code == 0
    folders = sorted((form.parent / "out" / "instances").iterdir())
    assert len(folders) == 20
    for folder in folders:
        data = (folder / "submission.xml").read_bytes()
        instance = read_instance(data)
        photo = instance.answers["photo"]
        assert isinstance(photo, str)
        assert (folder / photo).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
        assert folder.name == instance.instance_id.replace(":", "")
        assert instance.instance_id.startswith(PREFIX)
        assert b'dialogkit:synthetic="valid"' in data
        assert str(instance.answers["phone"]).startswith(DEVICE)
        assert "18" <= str(instance.answers.get("age", "18")) < "30"


def test_what_cannot_be_reached_satisfied_or_decided_is_told_and_is_no_failure(form: Path) -> None:
    result = simulate(form, "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told == json.loads((form.parent / "out" / "report.json").read_text(encoding="utf-8"))
    assert (told["form_id"], told["version"]) == ("visit", "3")
    assert "never met" in told["unreached"]["never"]
    assert "does not have" in told["unreached"]["maybe"]
    assert "nobody can give" in told["unreached"]["deep"]
    assert "no value was found" in told["unreached"]["none"]
    assert set(told["unreached"]) == {"never", "maybe", "deep", "none"}
    # It is required where it is asked, so valid submissions go another way.
    assert set(told["unsatisfied"]) == {"none"}
    assert told["broken"] == 0
    assert "chance" in told["undecided"]["dice: calculation"]


def test_the_same_is_told_in_words(form: Path) -> None:
    result = simulate(form, "-q")
    lines = result.stdout.splitlines()
    assert result.stderr.startswith(f"In {form.parent / 'out'}. ")
    assert lines[0] == "made  visit  version 3  20 submissions"
    assert [line for line in lines if line.startswith("not reached  never  ")]
    assert [line for line in lines if line.startswith("no value found  none  ")]
    assert [line for line in lines if line.startswith("not decidable  dice: calculation  ")]


def test_broken_submissions_come_with_what_must_be_found(form: Path) -> None:
    result = simulate(form, "--break", "unknown-choice", "--break", "too-big", "--break", "row-missing", "--json")
    told = json.loads(result.stdout)
    assert set(told["planted"]) == {"too-big", "unknown-choice"}
    assert told["without_place"] == ["row-missing"]
    planted = json.loads((form.parent / "out" / "planted.json").read_text(encoding="utf-8"))
    rules = {one["kind"]: one["expected"] for one in planted if one["kind"]}
    assert rules["too-big"] == [{"rule": "FORM-CONSTRAINT:age", "path": "age", "row": ""}]
    assert rules["unknown-choice"] == [{"rule": "FORM-CHOICE:agree", "path": "agree", "row": ""}]
    assert len(planted) == 20


def test_the_kinds_are_listed() -> None:
    result = CliRunner().invoke(cli, ["form", "simulate", "--break", "list", "--json"])
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)) >= 30
    assert "forged-gate" in CliRunner().invoke(cli, ["form", "simulate", "--break", "list"]).stdout


def test_every_kind_is_in_the_docs() -> None:
    kinds = json.loads(CliRunner().invoke(cli, ["form", "simulate", "--break", "list", "--json"]).stdout)
    page = (Path(__file__).parents[2] / "docs" / "simulate.md").read_text(encoding="utf-8")
    assert set(kinds) - set(re.findall(r"`([a-z-]+)`", page)) == set()


@pytest.mark.parametrize(
    ("more", "code"),
    [(["--break", "gremlins"], "FORM-091"), (["--to", "{there}"], "FORM-090"), (["--to", "{file}/x"], "FORM-092")],
)
def test_what_cannot_be_done_is_refused_with_its_code(form: Path, more: list[str], code: str) -> None:
    result = simulate(form, *(one.format(there=form.parent, file=form) for one in more))
    assert result.exit_code == 4
    assert f"error[{code}]" in result.stderr
    assert "Did you mean" not in result.stderr
    assert not (form.parent / "out").exists()


def test_a_kind_that_is_misspelt_is_guessed(form: Path) -> None:
    assert "Did you mean too-big?" in simulate(form, "--break", "too-bg").stderr


def test_file_and_folder_are_needed(form: Path) -> None:
    assert CliRunner().invoke(cli, ["form", "simulate", str(form)]).exit_code == 2
    assert CliRunner().invoke(cli, ["form", "simulate", "--to", "x"]).exit_code == 2
