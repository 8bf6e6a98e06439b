"""What the columns of a sheet mean: pyxform's aliases and languages resolved, the texts of the cells kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pyxform import aliases
from pyxform.parsing.sheet_headers import clean_text_values, process_header
from pyxform.question import MultipleChoiceQuestion, Option
from pyxform.survey import Survey

from dialogkit.forms.workbook import Workbook, numbered

Column = tuple[str, ...]

LABEL: Final[Column] = ("label",)
HINT: Final[Column] = ("hint",)
CONSTRAINT_MESSAGE: Final[Column] = ("bind", "jr:constraintMsg")
CALCULATION: Final[Column] = ("bind", "calculate")

_KNOWN: Final = {
    "survey": (aliases.survey_header, frozenset(MultipleChoiceQuestion.get_slot_names())),
    "choices": (aliases.list_header, frozenset(Option.get_slot_names())),
    "external_choices": (aliases.list_header, frozenset(Option.get_slot_names())),
    "settings": (aliases.settings_header, frozenset(Survey.get_slot_names())),
}


@dataclass(frozen=True)
class Row:
    """A row of a sheet: its number in the spreadsheet, and its cells by what their columns mean."""

    number: int
    cells: Mapping[Column, str]

    def logic(self, *column: str) -> str:
        """An expression or a name, with the corrections that pyxform makes to it (straight quotes, one space)."""
        cleaned: str = clean_text_values(self.cells.get(column, ""), strip_whitespace=True)
        return cleaned

    def by_language(self, column: Column) -> dict[str, str]:
        """The texts of a translatable column as they stand in the sheet; key `""` where no language is named."""
        return {
            (found[len(column)] if len(found) > len(column) else ""): text
            for found, text in self.cells.items()
            if found[: len(column)] == column and len(found) <= len(column) + 1
        }

    def own(self, name: str) -> str:
        """A column of ours, whatever the case of its header, also as `instance::name`."""
        for column, text in self.cells.items():
            if column[-1].lower() == name and column[:-1] in ((), ("instance",)):
                return text
        return ""


def columns_of(workbook: Workbook, sheet: str) -> dict[str, Column]:
    """Header → what it means, for a sheet of the workbook."""
    headers = workbook.sheet(sheet).headers
    known_aliases, known = _KNOWN[sheet]
    double_colon = any("::" in header for header in headers)
    meant: dict[str, Column] = {}
    for header in headers:
        try:
            meant[header] = tuple(process_header(header, double_colon, known_aliases, known)[1])
        except IndexError:
            # pyxform stumbles over a header such as `jr`: it means nothing in a form.
            meant[header] = (header,)
    return meant


def rows_of(workbook: Workbook, sheet: str) -> list[Row]:
    """The rows of a sheet that are not empty."""
    columns = columns_of(workbook, sheet)
    return [
        Row(number, {columns[header]: text for header, text in cells.items() if header in columns})
        for number, cells in numbered(workbook.sheet(sheet))
        if cells
    ]


def settings_of(workbook: Workbook) -> dict[str, str]:
    """The first row of the settings sheet, by header in lower case with underscores."""
    first = workbook.sheet("settings").rows[:1]
    return {"_".join(header.lower().split()): text for row in first for header, text in row.items()}


def languages_of(workbook: Workbook) -> tuple[str, ...]:
    """The languages that the headers of survey and choices name, in their order."""
    translated = (LABEL, HINT, CONSTRAINT_MESSAGE)
    named = (
        column[-1]
        for sheet in ("survey", "choices")
        for column in columns_of(workbook, sheet).values()
        if column[:-1] in translated
    )
    return tuple(dict.fromkeys(named))
