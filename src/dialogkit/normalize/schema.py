"""Which tables and columns the versions of a form fill. A column keeps its name for good."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from dialogkit.model.form import FILE_TYPES, Form, Question
from dialogkit.model.table import HISTORY_COLUMNS, MAIN_COLUMNS, REPEAT_COLUMNS, Column, Kind, Standing, Table

#: What a phone writes into `meta` beside the identifiers. A name of an instance is made from answers, often a
#: person's name, so it counts as an identifier.
_META: Final = (
    Question(name="_instance_name", path="meta/instanceName", type="text", disclosure="direct"),
    Question(name="_audit", path="meta/audit", type="file", disclosure="indirect"),
)

_KINDS: Final[Mapping[str, Kind]] = {
    "integer": "integer",
    "decimal": "decimal",
    "range": "decimal",
    "date": "date",
    "today": "date",
    "time": "time",
    "datetime": "datetime",
    "start": "datetime",
    "end": "datetime",
    "select_one": "select_one",
    "select_multiple": "select_multiple",
    "rank": "select_multiple",
    "geopoint": "geopoint",
}


#: A form that never landed.
EMPTY: Final = Standing()


def kind_of(question: Question, form: Form) -> Kind:
    """How the answers of a question are stored.

    A select_multiple whose list has a choice with a space in it cannot be told apart, and stays text.
    """
    if question.type in FILE_TYPES:
        return "file"
    kind = _KINDS.get(question.type, "text")
    choices = form.choice_lists.get(question.list_name, ())
    if kind == "select_multiple" and any(" " in choice.name for choice in choices):
        return "text"
    return kind


def tables_of(forms: Sequence[Form], standing: Standing = EMPTY) -> tuple[Table, ...]:
    """The tables of a form over all its versions.

    Args:
        forms: versions of one form, oldest first; at least one.
        standing: what the form has in the warehouse already; it comes first and keeps its names.

    Returns:
        The main table, then one table a repeat, parents before children.
    """
    form_id = forms[-1].form_id
    repeats = _repeats(forms, {*standing.columns, *standing.tables})
    names = _table_names(form_id, repeats, standing)
    return tuple(
        Table(
            name=names[repeat],
            form_id=form_id,
            repeat=repeat,
            parent=names[_innermost(repeat, repeats)] if repeat else "",
            columns=_columns(repeat, forms, standing.columns.get(repeat, ())),
        )
        for repeat in ("", *repeats)
    )


def _repeats(forms: Sequence[Form], known: Iterable[str]) -> list[str]:
    found = {path: None for path in sorted(known) if path}
    for form in forms:
        found |= {section.path: None for section in form.sections if section.kind == "repeat"}
    return sorted(found, key=lambda path: path.count("/"))


def _innermost(path: str, repeats: Iterable[str]) -> str:
    above = [repeat for repeat in repeats if path.startswith(repeat + "/")]
    return max(above, key=len, default="")


def _table_names(form_id: str, repeats: Sequence[str], standing: Standing) -> dict[str, str]:
    known = standing.tables
    taken = {name.lower() for name in known.values()} | standing.taken
    names = dict(known) if "" in known else {"": _free(form_id, taken), **known}
    leaves = [repeat.rsplit("/", 1)[-1].lower() for repeat in repeats]
    for repeat in repeats:
        if repeat in names:
            continue
        leaf = repeat.rsplit("/", 1)[-1]
        part = leaf if leaves.count(leaf.lower()) == 1 else repeat.replace("/", "__")
        names[repeat] = _free(f"{form_id}__{part}", taken)
    return names


def _columns(repeat: str, forms: Sequence[Form], known: Sequence[Column]) -> tuple[Column, ...]:
    columns = {(column.path, column.kind): column for column in known}
    fresh: dict[tuple[str, Kind], Column] = {}
    for form in forms:
        for question in _questions(form, repeat):
            column = _column(question, kind_of(question, form))
            key = (column.path, column.kind)
            if key in columns:
                columns[key] = replace(column, name=columns[key].name)
            else:
                fresh[key] = column
    taken = {*MAIN_COLUMNS, *REPEAT_COLUMNS, *HISTORY_COLUMNS}
    taken |= {column.name.lower() for column in columns.values()}
    leaves = [column.name.lower() for column in fresh.values()]
    for key, column in fresh.items():
        leaf = column.name
        alone = leaves.count(leaf.lower()) == 1 and leaf.lower() not in taken
        columns[key] = replace(column, name=_free(leaf if alone else column.path.replace("/", "__"), taken))
    return tuple(columns.values())


def _questions(form: Form, repeat: str) -> list[Question]:
    """Questions with an answer whose innermost repeat is `repeat`, in the order of the sheet."""
    repeats = {section.path for section in form.sections if section.kind == "repeat"}
    inside = [
        question for question in form.questions if question.has_answer and _innermost(question.path, repeats) == repeat
    ]
    return inside if repeat else [*inside, *_META]


def _column(question: Question, kind: Kind) -> Column:
    return Column(
        name=question.name,
        path=question.path,
        kind=kind,
        concept=question.concept,
        # A place that nobody has classed is an identifier.
        disclosure=question.disclosure or ("direct" if kind == "geopoint" else ""),
        hxl=question.hxl,
        list_name=question.list_name,
        labels=dict(question.labels),
    )


def _free(name: str, taken: set[str]) -> str:
    """`name`, or with `__2`, `__3`… when another table or column has it; notes it as taken."""
    number, free = 1, name
    while free.lower() in taken:
        number += 1
        free = f"{name}__{number}"
    taken.add(free.lower())
    return free
