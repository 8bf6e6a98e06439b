"""`dialogkit drift`: unknown questions, each with what it may be and what to do; never an answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dialogkit.cli.main import cli
from dialogkit.forms.versions import keep_version
from dialogkit.model.form import BuiltForm, Form
from dialogkit.warehouse.connect import writing
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import land_batch, make_form, received, write_batch

FORM = make_form(
    "visit",
    "1",
    [
        ("text", "said"),
        ("text", "g/country_name"),
        ("text", "g/h/place"),
        ("text", "Town"),
        ("repeat", "r"),
        ("text", "r/x"),
    ],
)
OTHER = make_form("other", "5", [("text", f"other/q{n}") for n in range(5)])


def run(*arguments: str | Path):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture
def place(tmp_path) -> Workspace:
    (tmp_path / "dialogkit.toml").write_text('[forms.visit]\nfile = "v.xlsx"\n[forms.other]\nfile = "o.xlsx"\n')
    workspace = open_workspace(tmp_path)
    for form in (FORM, OTHER):
        keep_version(workspace.versions, BuiltForm(form, b"<xml/>"))
    return workspace


def bring(workspace: Workspace, *some, form: Form = FORM) -> None:
    with writing(workspace.warehouse) as db:
        land_batch(db, write_batch(workspace.batches, form, some), form)


def drift(workspace: Workspace, *forms: str):
    result = run("drift", *forms, "--json", "-w", workspace.root)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Zebracorn" not in result.stdout
    return json.loads(result.stdout)


def suggested(workspace: Workspace, path: str, *, version: str = "1", answers=None):
    known = {"said": "a", "g/country_name": "b", "Town": "c"} if answers is None else answers
    bring(workspace, received(FORM, known | {path: "Zebracorn"}, version=version))
    (entry,) = drift(workspace)
    assert entry["path"] == path
    return entry["suggestion"]


def test_a_path_is_told_once_with_counts_versions_and_times(place):
    rows = {"r": [{"r/odd": "Zebracorn"}, {"r/odd": "Zebracorn"}]}
    bring(
        place,
        received(FORM, rows | {"said": "a"}, "uuid:1", submitted_at="2026-11-02T10:00:00Z"),
        received(FORM, rows | {"said": "a"}, "uuid:2", submitted_at="2026-11-09T10:00:00Z", version="9"),
    )
    (entry,) = drift(place)
    del entry["suggestion"]
    assert entry == {
        "form_id": "visit",
        "path": "r/odd",
        "repeat": "r",
        "submissions": 2,
        "versions": ["1", "9"],
        "unknown_versions": ["9"],
        "first": "2026-11-02 10:00:00+00:00",
        "last": "2026-11-09 10:00:00+00:00",
        "strangers": 0,
    }


@pytest.mark.parametrize(
    ("path", "now"),
    [
        ("place", "g/h/place"),
        ("town", "Town"),
        ("g/country_nme", "g/country_name"),
        ("country-name", "g/country_name"),
    ],
)
def test_a_question_of_a_like_name_is_perhaps_the_same(place, path, now):
    found = suggested(place, path)
    assert (found["why"], found["now"]) == ("renamed", now)
    assert f"dialogkit form lineage visit --same {path} {now}" in found["fix"]


def test_a_name_from_outside_cannot_run_in_the_command_that_is_shown(place):
    assert "--same 'place;ls' g/h/place" in suggested(place, "place;ls")["fix"]


def test_a_version_that_nobody_knows_is_said(place):
    found = suggested(place, "budget", version="9")
    assert (found["why"], "nobody here knows: 9." in found["text"]) == ("unknown_version", True)
    assert "dialogkit land --rebuild" in found["fix"]


def test_a_name_like_no_other_of_a_known_version_stays_a_question(place):
    assert suggested(place, "budget")["why"] == "unknown"


@pytest.mark.parametrize("path", ["g", "g/h"])
def test_a_section_is_told_from_a_question(place, path):
    assert suggested(place, path)["why"] == "section"


def test_answers_of_another_form_are_told(place):
    bring(place, received(OTHER, {"other/q0": "a"}), form=OTHER)
    found = [entry["suggestion"] for entry in drift(place)]
    assert found == []
    bring(place, received(FORM, {f"other/q{n}": "Zebracorn" for n in range(4)}, "uuid:9", version="5"))
    found = [entry["suggestion"] for entry in drift(place)]
    assert [(one["why"], one["form"]) for one in found] == [("another_form", "other")] * 4


def test_a_few_foreign_answers_beside_many_of_its_own_are_no_other_form(place):
    bring(place, received(OTHER, {"other/q0": "a"}), form=OTHER)
    known = {"said": "a", "g/country_name": "b", "Town": "c"}
    bring(place, received(FORM, known | {"other/q1": "Zebracorn"}, "uuid:9"))
    assert [entry["suggestion"]["why"] for entry in drift(place)] == ["unknown"]


def test_a_submission_that_was_replaced_no_longer_counts(place):
    bring(place, received(FORM, {"said": "a", "odd": "Zebracorn"}))
    bring(place, received(FORM, {"said": "a"}, instance_id="uuid:1-2"))
    assert drift(place) == []
    result = run("drift", "-w", place.root)
    assert (result.stdout, result.stderr) == ("", "Every answer stands at a question of a known version.\n")


def test_only_the_forms_that_are_named(place):
    bring(place, received(FORM, {"odd": "Zebracorn"}))
    assert drift(place, "other") == []
    assert len(drift(place, "visit")) == 1


def test_the_page_has_one_line_a_path_and_what_to_do_below(place):
    bring(place, received(FORM, {"said": "a", "Town": "b", "place": "Zebracorn", "\x1b[2J": "Zebracorn"}))
    page = run("drift", "-w", place.root).stdout
    assert "visit, place\n  Perhaps renamed: now called g/h/place.\n  If the two are one question: dialogkit" in page
    assert "\x1b" not in page
    assert "Zebracorn" not in page


def test_status_mentions_unknown_questions(place):
    bring(place, received(FORM, {"odd": "Zebracorn"}))
    assert "1 unknown question answered: dialogkit drift\n" in run("status", "-w", place.root).stderr
