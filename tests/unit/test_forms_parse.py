"""What a form is after reading: paths, types, texts, logic, choices."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogkit.forms.build import build_form
from dialogkit.model.form import Choice, Form


@pytest.fixture
def read(tmp_path: Path):
    def _read(text: str) -> Form:
        path = tmp_path / "small.md"
        path.write_text(text, encoding="utf-8")
        return build_form(path).form

    return _read


def test_paths_hold_groups_and_repeats_without_a_leading_slash(read) -> None:
    form = read("""
| survey | type | name | label | relevant | repeat_count |
| | begin_group | g | G | ${a} = 1 | |
| | text | t | T | | |
| | begin_repeat | r | R | | 3 |
| | integer | n | N | | |
| | end_repeat | | | | |
| | end_group | | | | |
| | integer | a | A | | |
""")
    assert [question.path for question in form.questions] == ["g/t", "g/r_count", "g/r/n", "a"]
    assert [(section.kind, section.path, section.row) for section in form.sections] == [
        ("group", "g", 2),
        ("repeat", "g/r", 4),
    ]
    assert form.sections[0].relevant == "${a} = 1"
    assert form.sections[1].repeat_count == "3"
    assert form.by_path["g/r_count"].row == 4


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("int", "integer"),
        ("string", "text"),
        ("dateTime", "datetime"),
        ("date time", "datetime"),
        ("photo", "image"),
        ("add image prompt", "image"),
        ("gps", "geopoint"),
        ("location", "geopoint"),
        ("imei", "deviceid"),
        ("get start time", "start"),
        ("uri:username", "username"),
        ("percentage", "integer"),
        ("phone number", "text"),
        ("q note", "note"),
        ("acknowledge", "acknowledge"),
        ("trigger", "acknowledge"),
        ("barcode", "barcode"),
        ("range", "integer"),
        ("add file prompt", "file"),
        ("hidden", "hidden"),
    ],
)
def test_each_name_of_a_type_becomes_one_word(read, written: str, kind: str) -> None:
    form = read(f"| survey | type | name | label |\n| | {written} | q | Q |\n| | text | t | T |\n")
    assert form.by_path["q"].type == kind


def test_a_range_with_a_step_of_parts_is_decimal(read) -> None:
    form = read("| survey | type | name | label | parameters |\n| | range | q | Q | start=0 end=1 step=0.1 |\n")
    assert form.by_path["q"].type == "decimal"


@pytest.mark.parametrize(
    ("written", "kind", "list_name"),
    [
        ("select_one l", "select_one", "l"),
        ("select all that apply from l", "select_multiple", "l"),
        ("select_multiple l", "select_multiple", "l"),
        ("rank l", "rank", "l"),
        ("select_one_from_file towns.csv", "select_one", "towns.csv"),
        ("select_multiple_from_file towns.csv", "select_multiple", "towns.csv"),
    ],
)
def test_a_select_knows_its_list(read, written: str, kind: str, list_name: str) -> None:
    form = read(f"""
| survey | type | name | label |
| | {written} | q | Q |
| choices | list_name | name | label |
| | l | 1 | One |
""")
    assert (form.by_path["q"].type, form.by_path["q"].list_name) == (kind, list_name)


def test_or_other_adds_a_question_and_a_choice(read) -> None:
    form = read("""
| survey | type | name | label::English (en) |
| | select_one l or_other | q | Q |
| | text | t | T |
| choices | list_name | name | label::English (en) |
| | l | 1 | One |
""")
    assert [question.path for question in form.questions] == ["q", "q_other", "t"]
    other = form.by_path["q_other"]
    assert (other.type, other.row, other.disclosure) == ("text", 2, "free_text")
    assert form.choice_lists["l"] == (
        Choice("1", {"English (en)": "One"}),
        Choice("other", {"English (en)": "Other"}),
    )


def test_a_loop_is_unrolled_into_a_group_a_choice(read) -> None:
    form = read("""
| survey | type | name | label |
| | begin loop over l | each | Each |
| | integer | n | N of %(label)s |
| | end loop | | |
| choices | list_name | name | label |
| | l | cow | Cow |
| | l | hen | Hen |
""")
    assert [question.path for question in form.questions] == ["each/cow/n", "each/hen/n"]
    assert {question.row for question in form.questions} == {3}


def test_metadata_are_questions_and_the_meta_block_is_not(read) -> None:
    form = read("""
| survey | type | name | label | parameters |
| | start | start | | |
| | today | today | | |
| | audit | audit | | location-priority=balanced location-min-interval=60 location-max-age=120 |
| | text | t | T | |
| settings | form_id | instance_name |
| | f | ${t} |
""")
    assert [question.path for question in form.questions] == ["start", "today", "t"]
    assert "location-priority" in form.settings["meta/audit"]


def test_texts_are_those_of_the_sheet_where_pyxform_changes_them(read) -> None:
    form = read("""
| survey | type | name | label::Français (fr) | hint::Français (fr) | constraint | constraint_message::Français (fr) |
| | text | q | Qu’est-ce\u00a0? | «\u00a0ici\u00a0» | . != ‘x’ | Pas d’«\u00a0x\u00a0» |
""")
    question = form.by_path["q"]
    assert question.labels == {"Français (fr)": "Qu’est-ce\u00a0?"}
    assert question.hints == {"Français (fr)": "«\u00a0ici\u00a0»"}
    assert question.constraint_messages == {"Français (fr)": "Pas d’«\u00a0x\u00a0»"}
    assert question.constraint == ". != 'x'"


def test_a_text_without_a_language_has_the_empty_key(read) -> None:
    form = read("| survey | type | name | label | hint |\n| | text | q | Q | H |\n")
    assert (form.languages, form.default_language) == ((), "")
    assert (form.by_path["q"].labels, form.by_path["q"].hints) == ({"": "Q"}, {"": "H"})


@pytest.mark.parametrize(
    ("written", "required"),
    [("yes", "yes"), ("TRUE", "yes"), ("true()", "yes"), ("no", ""), ("false()", ""), ("${a} = ''", "${a} = ''")],
)
def test_required_is_yes_or_empty_or_an_expression(read, written: str, required: str) -> None:
    form = read(f"| survey | type | name | label | required |\n| | text | a | A | |\n| | text | q | Q | {written} |\n")
    assert form.by_path["q"].required == required


def test_logic_is_read_from_every_alias_of_its_column(read) -> None:
    form = read("""
| survey | type | name | label | relevance | bind::constraint | calculate | appearance | default | choice_filter |
| | text | a | A | | | | | x | |
| | select_one l | q | Q | ${a} = 'x' | . != 'y' | | minimal | | k = ${a} |
| | calculate | c | | | | concat(${a}, '!') | | | |
| choices | list_name | value | label | k |
| | l | 1 | One | x |
""")
    question = form.by_path["q"]
    assert (question.relevant, question.constraint) == ("${a} = 'x'", ". != 'y'")
    assert (question.appearance, question.choice_filter) == ("minimal", "k = ${a}")
    assert form.by_path["c"].calculation == "concat(${a}, '!')"
    assert form.by_path["a"].default == "x"
    assert form.choice_lists["l"] == (Choice("1", {"": "One"}, {"k": "x"}),)


def test_our_columns_are_read_whatever_the_case_of_their_headers(read) -> None:
    form = read("""
| survey | type | name | label | Concept | DISCLOSURE | instance::hxl |
| | text | q | Q | place.country | none | #country+code |
""")
    question = form.by_path["q"]
    assert (question.concept, question.disclosure, question.hxl) == ("place.country", "none", "#country+code")


def test_settings_title_version_and_languages(read) -> None:
    form = read("""
| survey | type | name | label::English (en) | label::Français (fr) |
| | text | q | Q | Q |
| settings | form_title | form_id | version | default_language |
| | A form | my_form | 2026112001 | Français (fr) |
""")
    assert (form.form_id, form.version, form.title) == ("my_form", "2026112001", "A form")
    assert (form.languages, form.default_language) == (("English (en)", "Français (fr)"), "Français (fr)")
    assert form.settings["form_title"] == "A form"


def test_a_form_without_an_id_is_called_like_its_file(read) -> None:
    assert read("| survey | type | name | label |\n| | text | q | Q |\n").form_id == "small"


def test_a_disabled_row_is_not_the_source_of_a_question(read) -> None:
    form = read("""
| survey | type | name | label | disabled |
| | text | q | Old | yes |
| | text | q | New | |
""")
    assert (form.by_path["q"].labels, form.by_path["q"].row) == ({"": "New"}, 3)


def test_a_form_can_be_kept_as_json(read) -> None:
    form = read("""
| survey | type | name | label::English (en) |
| | select_one l or_other | q | Q |
| choices | list_name | name | label::English (en) | extra |
| | l | 1 | One | x |
""")
    assert Form.from_json(form.to_json()) == form
