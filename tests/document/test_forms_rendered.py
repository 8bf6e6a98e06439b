"""The rendered Markdown of each form, and what the shipped workbooks promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogkit.forms.build import build_form
from dialogkit.forms.lint import lint, unfit_to_serve
from dialogkit.forms.render import render_markdown
from dialogkit.model.disclosure import CLASSES

FORMS = Path(__file__).parents[2] / "forms"
WORKBOOKS = sorted(FORMS.glob("*.xlsx"))
TEAM = {"team_contact": "team@example.org", "team_server": "a server, Mexico"}

each = pytest.mark.parametrize("path", WORKBOOKS, ids=lambda path: path.stem)


def test_there_are_seven_forms() -> None:
    assert [path.stem for path in WORKBOOKS] == [
        "action_map_entry",
        "ally_mapping",
        "alternatives",
        "collective_trajectory",
        "funder_barriers",
        "jam_session",
        "local_dialogue",
    ]


@each
def test_the_markdown_is_the_workbook(path: Path) -> None:
    rendered = path.with_suffix(".md")
    assert rendered.read_text(encoding="utf-8") == render_markdown(path), f"render it again: {rendered.name}"
    assert build_form(rendered) == build_form(path)


@each
def test_a_form_is_called_like_its_file_and_has_a_version(path: Path) -> None:
    form = build_form(path).form
    assert form.form_id == path.stem
    assert len(form.version) == 10
    assert form.languages == ("English (en)", "Français (fr)", "Español (es)")


@each
def test_every_question_has_a_disclosure_class(path: Path) -> None:
    form = build_form(path).form
    assert {question.name for question in form.questions if question.disclosure not in CLASSES} == set()


@each
def test_a_shipped_form_lacks_nothing_but_the_texts_of_the_team(path: Path) -> None:
    empty, filled = build_form(path), build_form(path, **TEAM)
    assert filled.problems == ()
    assert {problem.code for problem in unfit_to_serve(empty.form)} == {"FORM-030"}
    assert lint(filled.form, path.name) == unfit_to_serve(filled.form) == ()
