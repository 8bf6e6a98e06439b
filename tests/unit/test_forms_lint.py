"""Our own checks of a form that builds."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogkit.forms.build import build_form
from dialogkit.forms.lint import FORBIDDEN, lint, unfit_to_serve
from dialogkit.model.form import Form
from dialogkit.problem import Problem

GOOD = """
| survey | type | name | label | disclosure |
| | text | a | A | none |
| settings | form_id | version |
| | f | 1 |
"""


@pytest.fixture
def read(tmp_path: Path):
    def _read(text: str) -> Form:
        path = tmp_path / "f.md"
        path.write_text(text, encoding="utf-8")
        return build_form(path).form

    return _read


def only(problems: tuple[Problem, ...], code: str) -> Problem:
    (problem,) = [problem for problem in problems if problem.code == code]
    return problem


def test_a_good_form_has_no_problems(read) -> None:
    form = read(GOOD)
    assert lint(form, "f.md") == unfit_to_serve(form) == ()


@pytest.mark.parametrize("name", ["team_contact", "team_server"])
def test_a_placeholder_in_brackets_must_not_be_served(read, name: str) -> None:
    form = read(f"""
| survey | type | name | calculation | label |
| | calculate | {name} | '[fill in]' | |
| | text | a | | A |
""")
    problem = only(unfit_to_serve(form), "FORM-030")
    assert (problem.severity, problem.where) == ("error", "f, survey, row 2, calculation")
    assert only(lint(form, "f.md"), "FORM-030").severity == "warning"


def test_a_filled_constant_may_be_served(read) -> None:
    form = read("""
| survey | type | name | calculation | label |
| | calculate | team_contact | 'a@b.c' | |
| | text | a | | A |
""")
    assert unfit_to_serve(form) == ()


@pytest.mark.parametrize("kind", sorted(FORBIDDEN))
def test_what_tells_who_or_where_the_phone_is_must_not_be_served(read, kind: str) -> None:
    trigger = "${a}" if kind == "background-geopoint" else ""
    form = read(f"| survey | type | name | label | trigger |\n| | text | a | A | |\n| | {kind} | q | | {trigger} |\n")
    problem = only(unfit_to_serve(form), "FORM-031")
    assert (problem.severity, problem.where) == ("error", "f, survey, row 3, type")


def test_an_audit_may_not_follow_the_phone(read) -> None:
    row = "| | audit | audit | | {} |\n"
    head = "| survey | type | name | label | parameters |\n| | text | a | A | |\n"
    located = read(head + row.format("location-priority=balanced location-min-interval=60 location-max-age=120"))
    assert only(unfit_to_serve(located), "FORM-031").where == "f, survey, audit, parameters"
    assert unfit_to_serve(read(head + row.format("track-changes=true"))) == ()


def test_a_form_without_a_version_is_warned_of(read) -> None:
    problem = only(lint(read(GOOD.replace("| version |", "| note |")), "f.md"), "FORM-032")
    assert (problem.severity, problem.where) == ("warning", "f.md, settings, version")


def test_a_missing_translation_is_named_with_its_language(read) -> None:
    form = read("""
| survey | type | name | label::English (en) | label::Français (fr) | hint::English (en) |
| | begin_group | g | Group | | |
| | text | a | A | Aa | Help |
| | end_group | | | | |
| | select_one l | q | Q | Qq | |
| choices | list_name | name | label::English (en) | label::Français (fr) |
| | l | x | X | |
""")
    found = {problem.where: problem.message for problem in lint(form, "f.md") if problem.code == "FORM-033"}
    assert found.keys() == {"f.md, survey, row 2, label", "f.md, survey, row 3, hint", "f.md, choices, list l, label"}
    assert all("Français (fr)" in message and "English" not in message for message in found.values())


def test_questions_without_a_class_are_named_in_one_warning(read) -> None:
    form = read("| survey | type | name | label | disclosure |\n| | text | a | A | |\n| | note | n | N | |\n")
    problem = only(lint(form, "f.md"), "FORM-034")
    assert (problem.severity, problem.message.startswith("a without")) == ("warning", True)


def test_a_long_list_of_names_is_cut(read) -> None:
    rows = "".join(f"| | text | q{number} | Q |\n" for number in range(12))
    assert "q7 and 4 more" in only(lint(read(f"| survey | type | name | label |\n{rows}"), "f.md"), "FORM-034").message


def test_an_unknown_class_is_an_error(read) -> None:
    problem = only(lint(read(GOOD.replace("| none |", "| public |")), "f.md"), "FORM-037")
    assert (problem.severity, problem.where) == ("error", "f.md, survey, row 2, disclosure")


def test_a_space_in_a_ranked_choice_is_an_error(read) -> None:
    form = read("""
| survey | type | name | label |
| | rank l | a | A |
| choices | list_name | name | label |
| | l | x y | X |
""")
    problem = only(lint(form, "f.md"), "FORM-035")
    assert (problem.severity, problem.where) == ("error", "f.md, choices, list l, name")


def test_a_space_in_a_choice_of_select_one_is_nobodys_problem(read) -> None:
    form = read("""
| survey | type | name | label |
| | select_one l | a | A |
| choices | list_name | name | label |
| | l | x y | X |
""")
    assert "FORM-035" not in {problem.code for problem in lint(form, "f.md")}


def test_names_that_differ_only_in_case_are_warned_of(read) -> None:
    form = read("""
| survey | type | name | label |
| | text | Age | A |
| | begin_group | g | G |
| | text | age | A |
| | end_group | | |
""")
    problem = only(lint(form, "f.md"), "FORM-036")
    assert (problem.severity, problem.where) == ("warning", "f.md, survey, row 4, name")
