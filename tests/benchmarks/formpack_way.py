"""formpack's way, in our own words: Python objects, each question asked for its cells, the whole row as quoted text.

What it does is taken from formpack's export (`format_one_submission`, `to_csv`): the main sheet only, nothing typed or
checked, `select_multiple` as the answer and one column a choice, a point as the answer and its four parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from orjson import loads

from tests.benchmarks.generate import OPTIONS, QUESTIONS, Asked

_PARTS = ("latitude", "longitude", "altitude", "precision")


class Field:
    """One question: its column names, and its cells for an answer."""

    def __init__(self, asked: Asked) -> None:
        self.path = asked.path
        self.columns = [asked.path]

    def cells(self, answer: str) -> dict[str, str]:
        return {self.path: answer}


class Several(Field):
    """A `select_multiple`: the answer, and 1 or 0 for each choice."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked)
        self.columns += [f"{asked.path}/{option}" for option in OPTIONS]

    def cells(self, answer: str) -> dict[str, str]:
        cells = dict.fromkeys(self.columns, "0") | {self.path: answer}
        return cells | {f"{self.path}/{choice}": "1" for choice in answer.split(" ")}


class Point(Field):
    """A `geopoint`: the answer and its parts."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked)
        self.columns += [f"_{asked.path}_{part}" for part in _PARTS]

    def cells(self, answer: str) -> dict[str, str]:
        return dict(zip(self.columns, [answer, *answer.split(" ")], strict=True))


def csv_lines(raw: Path) -> Iterator[str]:
    """The lines of the main sheet, from the lines of KoboToolbox."""
    fields = [_field(asked) for asked in QUESTIONS]
    empty = dict.fromkeys([column for field in fields for column in field.columns], "") | {"_index": ""}
    yield _line(empty)
    row: dict[str, object] = {}
    with raw.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            entry = loads(line)
            row.update(empty)
            for field in fields:
                answer = entry.get(field.path)
                if answer is not None:
                    row.update(field.cells(answer))
            row["_index"] = number
            yield _line(row.values())


def _field(asked: Asked) -> Field:
    kind = {"select_multiple": Several, "geopoint": Point}.get(asked.type.split(" ")[0], Field)
    return kind(asked)


def _line(cells: Iterable[object]) -> str:
    return '"' + '";"'.join(str(cell).replace('"', '""') for cell in cells) + '"'
