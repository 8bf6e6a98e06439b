"""What rules ask of the rows that they judge: whether something is answered, with which text, and how many rows."""

from __future__ import annotations

from collections.abc import Sequence

from dialogkit import sql
from dialogkit.logic.bind import bind
from dialogkit.logic.compile import compile_tree, condition
from dialogkit.logic.lists import code_column
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.terms import number
from dialogkit.model.form import Form, Question, Section
from dialogkit.model.table import Column
from dialogkit.validate.resolve import Rows


def answered(rows: Rows, path: str) -> str:
    """SQL for whether a question in these rows, or in those around them, holds something that could be read."""
    alias = rows.alias(rows.form.repeat_of(path))
    columns = rows.columns(path)
    if not columns:
        raise NotDecidable("it has no column")
    return f"({' OR '.join(_holds(alias, column) for column in columns)})"


def _holds(alias: str, column: Column) -> str:
    """A choice of several that was sent as blanks is no answer, but an empty list."""
    cell = f"{alias}.{sql.name(column.name)}"
    return f"coalesce(len({cell}) > 0, false)" if column.kind == "select_multiple" else f"{cell} IS NOT NULL"


def stored_text(rows: Rows, path: str) -> str:
    """SQL of the text of a calculation as it is stored; `''` where there is none."""
    reference = rows.reference(path, rows.own)
    if reference.kind not in ("text", "select_one", "file"):
        raise NotDecidable("it was stored as something else than a text")
    return f"coalesce({reference.sql}, '')"


def rows_in(rows: Rows, repeat: str) -> str:
    """SQL of how many rows of a repeat stand directly in these rows."""
    below = f" AND q._parent_row = {rows.own}._row" if rows.table.repeat else ""
    return f"(SELECT count(*) FROM {rows.relation(repeat)} q WHERE q._submission_id = m._submission_id{below})"


def asked_count(rows: Rows, section: Section) -> str:
    """SQL of the number of rows that `repeat_count` asks for; NULL where it says none."""
    return f"trunc({number(compile_tree(bind(section.repeat_count, rows.form, section.path), rows, section.path))})"


def relevance(rows: Rows, path: str) -> list[str]:
    """Conditions of relevance: of every section above a path, and its own."""
    form = rows.form
    own = part_at(form, path)
    parts = [*form.sections_above(path), *([own] if own else [])]
    return [condition(bind(part.relevant, form, part.path), rows, part.path) for part in parts if part.relevant.strip()]


def part_at(form: Form, path: str) -> Question | Section | None:
    """The question, group or repeat at a path."""
    return form.by_path.get(path) or next((section for section in form.sections if section.path == path), None)


def choice_names(rows: Rows, question: Question) -> Sequence[str]:
    """The codes of all choices of a question, whatever its filter.

    Raises:
        NotDecidable: its choices stand in no list and no file.
    """
    if "search(" in question.appearance:
        raise NotDecidable("its choices come from a search in a file while the form is filled in")
    if "${" in question.list_name:
        raise NotDecidable("its choices are answers of the same submission")
    listed = question.list_name in rows.form.choice_lists
    if not listed and "." not in question.list_name:
        return ()
    column = code_column(question)
    entries = rows.items("list" if listed else "file", question.list_name)
    return [entry[column] for entry in entries if column in entry]
