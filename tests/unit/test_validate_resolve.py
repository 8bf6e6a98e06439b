"""What expressions of a form version mean in the rows of staged tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogkit.logic.bind import bind
from dialogkit.logic.compile import compile_condition, compile_tree
from dialogkit.logic.parse import NotDecidable
from dialogkit.model.form import Choice, Form
from dialogkit.model.staged import Staged
from dialogkit.normalize.schema import tables_of
from dialogkit.validate.resolve import Rows
from tests.builders import make_form

FIRST = make_form("f", "1", [("integer", "q"), ("start", "start"), ("repeat", "r"), ("text", "r/x")])
LAST = make_form("f", "2", [("text", "q"), ("start", "start"), ("repeat", "r"), ("text", "r/x"), ("note", "told")])


def rows_of(form: Form, repeat: str = "", **facts: object) -> Rows:
    tables = tables_of([FIRST, LAST])
    relations = {table.name: f"stage_{table.name}" for table in tables}
    staged = Staged("f", "b", "server", {"1": FIRST, "2": LAST}, tables, relations)
    return Rows(staged, next(table for table in tables if table.repeat == repeat), form, **facts)  # type: ignore[arg-type]


def test_a_question_that_changed_its_type_is_read_in_the_column_of_its_version() -> None:
    first, last = (compile_condition("${q} = '5'", rows_of(form)) for form in (FIRST, LAST))
    assert first == 'coalesce(abs(CAST(m."q" AS DOUBLE) - CAST(5.0 AS DOUBLE)) < 1e-12, false)'
    assert last == "coalesce(m.\"q__2\" = '5', false)"


def test_a_note_reads_as_empty_and_the_clock_of_the_phone_is_that_of_its_start() -> None:
    rows = rows_of(LAST)
    assert compile_tree(bind("${told}", LAST, "q"), rows).sql == "coalesce(CAST(NULL AS VARCHAR), '')"
    assert '"start__offset"' in rows.offset


def test_rows_of_a_repeat_are_not_one_row_outside_of_it() -> None:
    with pytest.raises(NotDecidable, match="outside"):
        rows_of(FIRST).alias("r")
    assert rows_of(FIRST, "r").alias("r") == "t1"


def test_an_answer_that_is_not_of_its_type_is_no_blank() -> None:
    assert "stage_issues" in rows_of(FIRST).is_blank("q")
    assert "stage_issues" not in rows_of(FIRST, "r").is_blank("r/x")


def test_labels_in_several_languages_are_known_only_where_they_say_the_same() -> None:
    lists = {"l": (Choice("a", {"en": "Yes", "fr": "Oui"}), Choice("b", {"en": "No", "fr": "No"}, {"n": "1"}))}
    form = Form("f", "2", "f", ("en", "fr"), "en", LAST.questions, LAST.sections, lists)
    assert rows_of(form).items("list", "l") == [{"name": "a"}, {"jr:label": "No", "n": "1", "name": "b"}]
    assert rows_of(form, language="fr").items("list", "l")[0] == {"jr:label": "Oui", "name": "a"}


def test_a_file_that_is_missing_or_damaged_decides_nothing(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("name,label\na,Alpha\n", encoding="utf-8")
    bad.write_bytes(b"\xff\xfe\x00")
    rows = rows_of(LAST, media={"good.csv": good, "bad.csv": bad})
    assert rows.items("file", "good.csv") == [{"name": "a", "label": "Alpha"}]
    for name in ("bad.csv", "none.csv"):
        with pytest.raises(NotDecidable, match=name):
            rows.items("file", name)
