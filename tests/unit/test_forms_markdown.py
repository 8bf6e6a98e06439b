"""Sheets as Markdown and back."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from pyxform.xls2json_backends import md_to_dict

from dialogkit.forms.build import build_form
from dialogkit.forms.markdown import read_tables, write_table
from dialogkit.forms.render import render_markdown

CELL = st.text(
    st.one_of(st.sampled_from("|\\\n\r#-&;amp10:"), st.characters(exclude_categories=["Cs"])), max_size=12
).map(str.strip)


@given(st.lists(st.lists(CELL, min_size=2, max_size=2), max_size=4))
def test_every_cell_comes_back_as_it_was(rows: list[list[str]]) -> None:
    written = [{"a": one, "b": two} for one, two in rows]
    headers, read = read_tables(write_table("survey", ("a", "b"), written))["survey"]
    assert headers == ("a", "b")
    assert read == [{key: value for key, value in row.items() if value} for row in written]


def test_pyxform_reads_the_tables_too() -> None:
    text = write_table("survey", ("type", "name", "label"), [{"type": "text", "name": "a", "label": r"x | y \| z # 1"}])
    assert md_to_dict(text.encode())["survey"] == [{"type": "text", "name": "a", "label": r"x | y \| z # 1"}]


def test_a_document_without_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no table"):
        read_tables("# Title\n\nwords\n")


def test_a_rendered_workbook_builds_the_same_form_and_renders_the_same(tmp_path: Path) -> None:
    book = Workbook()
    survey = book.active
    survey.title = "survey"
    for row in (
        ["type", "name", "label::English (en)", None, "constraint", "hxl"],
        ["text", "a", "Two\nlines &#10; and a | bar", None, r"regex(., 'a\|b')", "#country+code"],
        [],
        ["select_one l", "b", "“B”\u00a0?", "no header", None, None],
        ["note", None, "- - -", None, None, None],
    ):
        survey.append(row)
    choices = book.create_sheet("Choices")
    for row in (["list_name", "name", "label::English (en)"], ["l", 1, "One"], ["l", 2.0, "---"]):
        choices.append(row)
    book.create_sheet("notes of ours").append(["not", "a", "form"])
    settings = book.create_sheet("settings")
    for row in (["form_title", "form_id", "version"], ["A form", "f1", 2026112001]):
        settings.append(row)
    written = io.BytesIO()
    book.save(written)
    path = tmp_path / "f.xlsx"
    path.write_bytes(written.getvalue())
    text = render_markdown(path)
    rendered = tmp_path / "f.md"
    rendered.write_text(text, encoding="utf-8", newline="")
    assert text.startswith("# A form\n\n| survey | type | name |")
    assert "notes of ours" not in text
    assert build_form(rendered) == build_form(path)
    assert render_markdown(rendered) == text
    assert [question.row for question in build_form(rendered).form.questions] == [2, 4, 5]
