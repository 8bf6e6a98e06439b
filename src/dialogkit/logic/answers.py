"""The answers of one submission as rows that logic reads, and the values of their texts.

Source of the types: the binds that pyxform writes; of the readings: JavaRosa 5.1, `XFormAnswerDataParser`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Final, cast

from dialogkit.logic.dates import midnight, parse_day, parse_moment, parse_time
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.values import BLANKS, Value, java_text
from dialogkit.model.submission import Answers

#: The kind of value of each type of question; every other type is `text`.
KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("integer", "range"), "int"),
    "decimal": "decimal",
    **dict.fromkeys(("date", "today"), "date"),
    "time": "time",
    **dict.fromkeys(("datetime", "start", "end"), "datetime"),
    "geopoint": "point",
    **dict.fromkeys(("geotrace", "geoshape"), "points"),
    **dict.fromkeys(("select_multiple", "rank"), "many"),
}
_INT: Final = re.compile(r"[+-]?\d+")
_DOUBLE: Final = re.compile(r"[+-]?(?:NaN|Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?)")


@dataclass(frozen=True)
class Facts:
    """What logic needs beside the answers.

    Args:
        now: the moment of the phone with its zone; None where only the day, or not even that, is known.
        today: the day where `now` is not known.
        media: rows of the form's media files by the name of the file.
        language: of the labels of `jr:choice-name`; empty: the default language of the form.
    """

    now: datetime | None = None
    today: date | None = None
    media: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    language: str = ""

    @property
    def zone(self) -> tzinfo:
        """The zone of the phone; UTC where no moment is known."""
        return (self.now.tzinfo if self.now else None) or UTC

    def moment(self) -> datetime:
        """What `now()` gives, to the thousandth of a second."""
        if self.now is None:
            raise NotDecidable("now(): the moment is not stored with the submission")
        return self.now.replace(microsecond=self.now.microsecond // 1000 * 1000)

    def day(self) -> datetime:
        """What `today()` gives: a midnight."""
        if self.now is not None:
            return midnight(self.now)
        if self.today is None:
            raise NotDecidable("today(): the day is not stored with the submission")
        return datetime(self.today.year, self.today.month, self.today.day, tzinfo=UTC)


@dataclass(slots=True)
class Row:
    """The submission (`repeat` is empty) or one row of a repeat. It may be changed while a form is filled in.

    Args:
        repeat: path of the repeat.
        place: from 1, among the rows of its repeat in the row above.
        above: the row that holds it.
        values: text of each answer by full path.
        below: rows of the repeats in it by path.
        hidden: paths of questions and sections of this row whose own condition says that they are not relevant
            (a repeat's own path: this row is not).
        typed: values of calculations, which keep the type that the calculation gave.
        computed: text that each calculation should have; `settle` fills these three.
    """

    repeat: str = ""
    place: int = 1
    above: Row | None = None
    values: dict[str, str] = field(default_factory=dict)
    below: dict[str, list[Row]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    typed: dict[str, Value] = field(default_factory=dict)
    computed: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, answers: Answers) -> Row:
        """The rows of canonical answers."""
        row = cls()
        row._take(answers)
        return row

    def _take(self, answers: Answers) -> None:
        for path, value in answers.items():
            if isinstance(value, str):
                self.values[path] = value
            else:
                self.below[path] = []
                for one in value:
                    self.add(path)._take(one)

    def answers(self) -> dict[str, str | list[Answers]]:
        """The canonical answers of the rows; what is blank is left out."""
        found: dict[str, str | list[Answers]] = {path: text for path, text in self.values.items() if text}
        for path, rows in self.below.items():
            found[path] = cast("list[Answers]", [row.answers() for row in rows])
        return found

    def add(self, repeat: str) -> Row:
        """A new row at the end of a repeat of this row."""
        rows = self.below.setdefault(repeat, [])
        rows.append(Row(repeat, len(rows) + 1, self))
        return rows[-1]

    def around(self, repeat: str) -> Row:
        """The row of a repeat among this one and those above it; the submission where none is."""
        row = self
        while row.repeat != repeat and row.above is not None:
            row = row.above
        return row

    def rows(self, repeats: Sequence[str]) -> Iterator[Row]:
        """All rows below that are reached through these repeats, outermost first; itself where there are none."""
        if not repeats:
            yield self
            return
        for row in self.below.get(repeats[0], ()):
            yield from row.rows(repeats[1:])

    @property
    def label(self) -> str:
        """The places of the rows around and of itself: `2/1`; empty for the submission."""
        if self.above is None:
            return ""
        return f"{self.above.label}/{self.place}" if self.above.repeat else str(self.place)


def read(kind: str, text: str, facts: Facts) -> Value:
    """The value of a stored text, `""` where the phone would read none from it.

    Args:
        kind: see `KINDS`.
        text: as it stands in the submission.
        facts: the zone and the day of the phone.
    """
    trimmed = text.strip(BLANKS)
    return _READ[kind](trimmed, facts) if trimmed else ""


def _int(text: str, _: Facts) -> Value:
    found = int(text) if _INT.fullmatch(text) else 2**31
    return float(found) if -(2**31) <= found < 2**31 else ""


def _decimal(text: str, _: Facts) -> Value:
    return float(text.rstrip("fFdD") if text[-1] in "fFdD" else text) if _DOUBLE.fullmatch(text) else ""


def _time(text: str, facts: Facts) -> Value:
    today = facts.day() if facts.now or facts.today else datetime(1970, 1, 1, tzinfo=UTC)
    return parse_time(text, today) or ""


def _point(text: str, _: Facts) -> Value:
    parts = text.split(" ")
    numbers = [_decimal(part, _) for part in parts if part]
    if len(numbers) > 4 or "" in numbers:
        return ""
    places = [*(cast("list[float]", numbers)), 0.0, 0.0, 0.0, 0.0][:4]
    return " ".join(map(java_text, places)) if any(places) else ""


def _points(text: str, facts: Facts) -> Value:
    parts = [part.strip(BLANKS) for part in text.rstrip(";").split(";")]
    points = [_point(part, facts) for part in parts]
    return "; ".join(cast("list[str]", points))


_READ: Final[Mapping[str, Callable[[str, Facts], Value]]] = {
    "text": lambda text, _: text,
    "many": lambda text, _: " ".join(part for part in text.split(" ") if part),
    "int": _int,
    "decimal": _decimal,
    "date": lambda text, facts: parse_day(text, facts.zone) or "",
    "datetime": lambda text, facts: parse_moment(text, facts.zone) or "",
    "time": _time,
    "point": _point,
    "points": _points,
}
