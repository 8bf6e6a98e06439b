"""How the answers of each type of question are stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dialogkit.model.form import FILE_TYPES, Form, Question
from dialogkit.model.table import Kind

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
    "geotrace": "geotrace",
    "geoshape": "geoshape",
}


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
