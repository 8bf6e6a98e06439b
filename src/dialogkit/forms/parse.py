"""From what pyxform understood, and the texts of the sheets, to a `Form`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pyxform import aliases
from pyxform.question import Question as Asked
from pyxform.section import RepeatingSection
from pyxform.section import Section as Nested
from pyxform.xls2json import RE_SELECT

from dialogkit.forms.choices import choice_lists
from dialogkit.forms.columns import (
    CALCULATION,
    CONSTRAINT_MESSAGE,
    HINT,
    LABEL,
    Row,
    languages_of,
    rows_of,
    settings_of,
)
from dialogkit.forms.outline import Outline, outline_of
from dialogkit.forms.types import canonical, extra_constraint
from dialogkit.forms.workbook import Workbook
from dialogkit.model.disclosure import FREE_TEXT, NONE
from dialogkit.model.form import Form, Question, Section

#: The settings of a form under which the parameters of its `audit` row are kept (`meta/audit` is not a question).
AUDIT: Final = "meta/audit"


def form_of(workbook: Workbook, survey: Any, understood: Mapping[str, Any]) -> Form:
    """The form of a workbook.

    Args:
        workbook: the sheets.
        survey: pyxform's `Survey`: which nodes the XForm has, and their types.
        understood: pyxform's dict of the form: its choice lists.
    """
    rows = rows_of(workbook, "survey")
    outline = outline_of(rows)
    places = list(_walk(survey, "", ""))
    languages = languages_of(workbook)
    settings = settings_of(workbook)
    for row in rows:
        if row.logic("type") == "audit":
            settings[AUDIT] = row.logic("parameters")
    return Form(
        form_id=str(survey.id_string),
        version=str(survey.version or ""),
        title=settings.get("form_title") or str(survey.title),
        languages=languages,
        default_language=settings.get("default_language", languages[0] if languages else ""),
        questions=tuple(_question(place, outline) for place in places if isinstance(place.element, Asked)),
        sections=tuple(_section(place, outline) for place in places if isinstance(place.element, Nested)),
        choice_lists=choice_lists(workbook, understood),
        settings=settings,
    )


@dataclass(frozen=True)
class _Place:
    """An element of pyxform with its path in the instance, and the path of the row that it comes from."""

    element: Any
    path: str
    row_path: str


def _walk(section: Any, above: str, above_row: str, *, loop: bool = False) -> Iterator[_Place]:
    """Every question and section below `section`, in the order of the form; `meta` blocks are left out."""
    for element in section.children:
        name = str(element.name)
        # A loop is unrolled into one group a choice, which no row of the sheet opens.
        row_path = above_row if loop else _join(above_row, name)
        if isinstance(element, Nested):
            if name == "meta":
                continue
            # A group that is marked `flat` has no node of its own.
            path = above if element.flat else _join(above, name)
            if path != above:
                yield _Place(element, path, row_path)
            yield from _walk(element, path, row_path, loop=element.type == "loop")
        elif isinstance(element, Asked):
            yield _Place(element, _join(above, name), row_path)


def _join(above: str, name: str) -> str:
    return f"{above}/{name}" if above else name


def _section(place: _Place, outline: Outline) -> Section:
    row = outline.row(place.row_path) or Row(0, {})
    return Section(
        kind="repeat" if isinstance(place.element, RepeatingSection) else "group",
        name=str(place.element.name),
        path=place.path,
        labels=row.by_language(LABEL),
        relevant=row.logic("bind", "relevant"),
        repeat_count=row.logic("control", "jr:count"),
        row=row.number,
    )


def _question(place: _Place, outline: Outline) -> Question:
    row = outline.row(place.row_path)
    if row is None:
        return _added(place, outline)
    written = row.logic("type")
    bind: Mapping[str, Any] = place.element.bind or {}
    return Question(
        name=str(place.element.name),
        path=place.path,
        type=canonical(str(place.element.type), str(bind.get("type", ""))),
        list_name=_list_name(written),
        labels=row.by_language(LABEL),
        hints=row.by_language(HINT),
        constraint_messages=row.by_language(CONSTRAINT_MESSAGE),
        required=_required(row.logic("bind", "required")),
        # As pyxform has it: a loop names its choice in it, and a group without a node of its own gives it its own.
        relevant=str(bind.get("relevant", "")),
        constraint=row.logic("bind", "constraint") or extra_constraint(str(place.element.type)),
        calculation=row.logic(*CALCULATION),
        choice_filter=row.logic("choice_filter"),
        appearance=row.logic("control", "appearance"),
        default=row.logic("default"),
        concept=row.own("concept"),
        disclosure=row.own("disclosure"),
        hxl=row.own("hxl"),
        was=row.own("was").strip(),
        row=row.number,
        trigger=row.logic("trigger"),
        parameters=row.logic("parameters"),
    )


def _added(place: _Place, outline: Outline) -> Question:
    """A question that stands in no row: pyxform added it."""
    element = place.element
    label = element.label or ""
    bind: Mapping[str, Any] = element.bind or {}
    kind = canonical(str(element.type), str(bind.get("type", "")))
    return Question(
        name=str(element.name),
        path=place.path,
        type=kind,
        list_name=str(getattr(element, "itemset", "") or ""),
        labels=dict(label) if isinstance(label, Mapping) else {"": str(label)} if label else {},
        relevant=str(bind.get("relevant", "")),
        calculation=str(bind.get("calculate", "")),
        # Nobody can class it in the sheet. What `or_other` asks is typed freely; the rest is no answer of a person.
        disclosure=FREE_TEXT if kind == "text" else NONE,
        row=outline.number(place.row_path),
    )


def _list_name(written: str) -> str:
    match = RE_SELECT.search(written)
    return match["list_name"] if match else ""


def _required(written: str) -> str:
    known = aliases.yes_no.get(written)
    if known is None:
        return written
    return "yes" if known else ""
