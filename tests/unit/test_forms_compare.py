"""What changed between two versions of a form, and what of it breaks stored answers."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from dialogkit.forms import compare_kinds
from dialogkit.forms.build import build_form
from dialogkit.forms.compare import Beside, compare
from dialogkit.forms.compare_kinds import KINDS, Change, Uses
from dialogkit.forms.compare_pairs import was_of
from dialogkit.model.form import Choice, Form
from tests.builders import Row, make_form

ROWS: list[Row] = [
    ("today", "today"),
    ("text", "g/said", {"concept": "talk.said"}),
    ("integer", "g/n"),
    ("repeat", "person"),
    ("text", "person/nick"),
    ("select_one", "kind", {"choices": ["tax", "law"], "list_name": "kinds", "concept": "barrier.type"}),
    ("note", "bye"),
]
USES = Uses(
    rules={"R-1": frozenset({"n"}), "R-2": frozenset({"n", "said"}), "R-3": frozenset({"person__nick"})},
    findings={"F1": frozenset({"barrier.type", "talk.said"}), "F2": frozenset({"talk.said"})},
)
STAYS = "Its column stays, and new submissions leave it empty."


def form(rows: list[Row] | None = None, **facts) -> Form:
    return replace(make_form("f", "1", ROWS if rows is None else rows), **facts)


def with_row(place: int, *row) -> Form:
    """The form with one row changed or, with none, taken out."""
    return form([*ROWS[:place], *row, *ROWS[place + 1 :]])


def found(new: Form, old: Form | None = None, **beside) -> list[Change]:
    beside.setdefault("was", {})
    # What is always told of a form that was changed under its version is of no interest here.
    changes = compare(old or form(), new, Beside(uses=USES, **beside)).changes
    return [change for change in changes if change.kind != "version_unchanged"]


def only(new: Form, old: Form | None = None, **beside) -> Change:
    changes = found(new, old, **beside)
    assert len(changes) == 1
    return changes[0]


def test_a_form_is_the_same_as_itself():
    assert compare(form(), form()).same


def test_rows_may_move_down_in_the_sheet_without_a_change():
    assert compare(form(), form([("today", "today"), *ROWS[1:]])).same
    later = tuple(replace(question, row=question.row + 7) for question in form().questions)
    assert compare(form(), form(questions=later)).same


def test_a_removed_question_breaks_its_column_the_rules_that_name_it_and_the_findings_that_read_its_concept():
    breaks = f"{STAYS} Rule R-2 reads it. Findings F1, F2 read talk.said."
    assert only(with_row(1)) == Change("removed", "g/said", "text", "", breaks)
    assert only(with_row(2)).breaks == f"{STAYS} Rules R-1, R-2 read it."


def test_a_rule_may_name_the_column_by_its_path():
    assert only(with_row(4)).breaks == f"{STAYS} Rule R-3 reads it."


def test_a_concept_that_another_question_still_measures_has_not_vanished():
    new = form(
        [*ROWS[:1], ("integer", "other", {"concept": "talk.said"}), ("text", "o", {"concept": "x.y"}), *ROWS[2:]]
    )
    assert all("Finding" not in change.breaks for change in found(new))


def test_what_takes_no_answer_can_go_without_breaking_anything():
    assert only(with_row(6)) == Change("removed", "bye", "note", "")


def test_an_added_question_breaks_nothing_and_says_that_it_is_required():
    new = form([*ROWS, ("text", "more", {"required": "yes"})])
    assert only(new) == Change("added", "more", "", "text, required")


def test_a_question_with_the_same_concept_is_the_same_under_another_name():
    new = with_row(1, ("text", "g/told", {"concept": "talk.said", "labels": {"": "Label of said"}}))
    breaks = "What is stored stays in the column of g/said; new answers go into another, that of g/told."
    assert only(new) == Change("renamed", "g/told", "g/said", "g/told", f"{breaks} Rule R-2 reads it.")


def test_a_question_that_only_looks_the_same_is_not_taken_for_it():
    new = with_row(2, ("integer", "g/count", {"labels": {"": "Label of n"}}))
    changes = found(new)
    assert [(change.kind, change.path) for change in changes] == [
        ("removed", "g/n"),
        ("perhaps_renamed", "g/count"),
        ("added", "g/count"),
    ]
    assert (changes[1].before, changes[1].after, changes[1].breaks) == ("g/n", "g/count", "")


def test_neither_is_one_of_several_with_its_concept():
    old = form([("text", "a", {"concept": "x"}), ("text", "b", {"concept": "x"})])
    new = form([("text", "c", {"concept": "x"})])
    assert [change.kind for change in found(new, old)] == ["removed", "removed", "perhaps_renamed", "added"]


def test_another_type_or_another_label_is_not_even_perhaps():
    assert [change.kind for change in found(with_row(2, ("integer", "g/count")))] == ["removed", "added"]
    looks = {"labels": {"": "Label of n"}}
    assert [change.kind for change in found(with_row(2, ("text", "g/count", looks)))] == ["removed", "added"]


@pytest.mark.parametrize("was", ["n", "g/n"])
def test_what_the_column_was_says_is_taken_for_true(was):
    change = only(with_row(2, ("integer", "g/count", {"labels": {"": "Label of n"}})), was={"g/count": was})
    assert (change.kind, change.before, change.after) == ("renamed", "g/n", "g/count")


def test_the_column_was_is_read_from_the_survey_sheet(tmp_path: Path):
    (tmp_path / "f.md").write_text(
        "| survey | type | name | label | was |\n| | begin_group | g | G | |\n"
        "| | text | b | B | a |\n| | end_group | | | |\n"
    )
    assert was_of(build_form(tmp_path / "f.md").form) == {"g/b": "a"}


def test_a_question_in_another_section_has_moved():
    change = only(with_row(2, ("integer", "n")))
    assert (change.kind, change.before, change.after) == ("moved", "g/n", "n")
    assert change.breaks.startswith(
        "What is stored stays in the column of g/n; new answers go into another, that of n."
    )
    assert change.breaks.endswith("Rules R-1, R-2 read it.")


def test_a_moved_note_breaks_nothing():
    note = ("note", "g/bye", {"labels": {"": "Label of bye"}})
    assert [(change.kind, change.breaks) for change in found(with_row(6, note))] == [("moved", "")]


@pytest.mark.parametrize(
    ("before", "after", "breaks"),
    [
        ("integer", "text", False),
        ("integer", "calculate", False),
        ("text", "integer", True),
        ("integer", "decimal", True),
        ("select_one", "select_multiple", True),
        ("text", "note", True),
        ("note", "integer", False),
    ],
)
def test_a_type_breaks_unless_it_is_a_text_now_or_had_no_answers(before, after, breaks):
    change = only(form([(after, "q")]), form([(before, "q")]))
    assert (change.kind, change.before, change.after) == ("retyped", before, after)
    assert bool(change.breaks) == breaks


def test_a_repeat_that_becomes_a_group_breaks_and_the_other_way_round():
    group = with_row(3, ("group", "person"))
    assert only(group).breaks == (
        "The rows of person that are stored stay in a table of their own; new answers go into another."
    )
    back = only(form(), group)
    assert (back.kind, back.path, back.before, back.after) == ("repeat", "person", "group", "repeat")
    assert back.breaks


LISTS = {"kinds": (Choice("tax", {"": "tax"}), Choice("law", {"": "law"}))}


def choices(*listed: Choice) -> Form:
    return form(choice_lists={"kinds": listed})


def test_a_choice_that_is_gone_breaks_the_answers_that_have_it():
    breaks = "Stored answers of kind with this code stand for no choice any more."
    assert only(choices(Choice("tax", {"": "tax"}))) == Change("choice_removed", "kinds/law", "law", "", breaks)


def test_a_choice_with_the_label_of_one_that_is_gone_was_recoded():
    change = only(choices(Choice("taxes", {"": "tax"}), Choice("law", {"": "law"})))
    breaks = "Stored answers of kind keep the code tax, which no choice has any more."
    assert change == Change("choice_recoded", "kinds/taxes", "tax", "taxes", breaks)


def test_other_changes_of_choices_break_nothing():
    tax, law = LISTS["kinds"]
    assert only(choices(tax, law, Choice("x", {}))) == Change("choice_added", "kinds/x", "", "x")
    assert only(choices(law, tax)) == Change("choice_order", "kinds", "", "")
    assert only(choices(replace(tax, labels={"": "Taxes"}), law)) == Change("choice_label", "kinds/tax", "tax", "Taxes")
    assert only(choices(replace(tax, extra={"a": "1"}), law)) == Change("choice_extra", "kinds/tax", "a: ", "a: 1")


def test_a_list_that_no_question_uses_breaks_nothing():
    old = form([("text", "q")], choice_lists=LISTS)
    assert only(form([("text", "q")], choice_lists={"kinds": LISTS["kinds"][:1]}), old).breaks == ""


def test_another_list_breaks_when_it_lacks_codes():
    facts = {"choices": ["tax"], "list_name": "others", "concept": "barrier.type"}
    change = only(with_row(5, ("select_one", "kind", facts)))
    assert (change.kind, change.before, change.after) == ("list", "kinds", "others")
    assert change.breaks == "Answers with codes that the new list does not have: law."
    facts = facts | {"choices": ["law", "tax", "more"]}
    assert only(with_row(5, ("select_one", "kind", facts))).breaks == ""


@pytest.mark.parametrize(
    "name", ["required", "relevant", "constraint", "calculation", "choice_filter", "default", "appearance", "hxl"]
)
def test_logic_and_looks_are_told_as_written(name):
    assert only(with_row(2, ("integer", "g/n", {name: "${said} != ''"}))) == Change(name, "g/n", "", "${said} != ''")


def test_texts_are_told_by_language():
    old, new = ({"labels": {"en": "How many?", "fr": fr}} for fr in ("Combien ?", "Combien donc ?"))
    change = only(with_row(2, ("integer", "g/n", new)), with_row(2, ("integer", "g/n", old)))
    assert change == Change("label", "g/n", "fr: Combien ?", "fr: Combien donc ?")


def test_another_concept_or_class_is_told_and_breaks_findings_when_the_concept_vanishes():
    changed = with_row(1, ("text", "g/said", {"concept": "talk.told", "disclosure": "direct"}))
    assert found(changed) == [
        Change("disclosure", "g/said", "none", "direct"),
        Change("concept", "g/said", "talk.said", "talk.told", "Findings F1, F2 read talk.said."),
    ]


def test_concepts_and_classes_need_no_new_version():
    changed = with_row(1, ("text", "g/said", {"disclosure": "direct", "concept": "talk.said"}))
    assert [change.kind for change in compare(form(), changed).changes] == ["disclosure"]


def test_a_form_that_was_changed_under_its_version_is_told():
    kinds = [change.kind for change in compare(form(), with_row(6)).changes]
    assert kinds == ["version_unchanged", "removed"]
    kinds = [change.kind for change in compare(form(), replace(with_row(6), version="2")).changes]
    assert kinds == ["version", "removed"]


def test_the_form_itself_is_compared():
    assert only(form(form_id="g")).breaks.startswith("It is another form")
    assert only(form(title="T")).kind == "title"
    assert only(form(languages=("en", "fr"))) == Change("languages", "", "(not named)", "en, fr")
    assert only(form(default_language="fr")).kind == "default_language"
    assert only(form(settings={"public_key": "x"})) == Change("setting", "public_key", "", "x")
    assert only(form(settings={"meta/audit": ""})) == Change("setting", "meta/audit", "", "yes")
    assert found(form(settings={"version": "9", "form_title": "x"})) == []


def test_an_address_to_send_to_is_not_shown_because_it_can_hold_a_key():
    old, new = (form(settings={"submission_url": f"https://f.example.org/key/{key}"}) for key in ("k1", "k2"))
    assert only(new, old) == Change("setting", "submission_url", "(one)", "(another)")
    assert only(new) == Change("setting", "submission_url", "", "(another)")


def test_questions_in_another_order_are_told_once():
    new = form([ROWS[1], ROWS[0], *ROWS[2:]])
    assert only(new) == Change("order", "g/said", "today", "g/said")


def test_sections_are_told_by_their_logic_too():
    sections = tuple(
        replace(section, relevant="${n} > 1", repeat_count="2" if section.kind == "repeat" else "")
        for section in form().sections
    )
    assert [(change.kind, change.path) for change in found(form(sections=sections))] == [
        ("relevant", "g"),
        ("relevant", "person"),
        ("repeat_count", "person"),
    ]


def test_media_are_compared_where_both_sides_are_known():
    changes = found(form(), old_media={"a": "1", "b": "1"}, new_media={"b": "2", "c": "1"})
    assert [(change.kind, change.path) for change in changes] == [
        ("media_removed", "a"),
        ("media_changed", "b"),
        ("media_added", "c"),
    ]
    assert found(form(), new_media={"b": "2"}) == []


def test_every_kind_of_change_has_its_heading_and_no_heading_is_for_nothing():
    sources = "".join(path.read_text() for path in Path(compare_kinds.__file__).parent.glob("compare*.py"))
    assert set(re.findall(r'change\("(\w+)"', sources)) <= KINDS.keys()
    assert {kind for kind in KINDS if sources.count(f'"{kind}"') < 2} == set()
