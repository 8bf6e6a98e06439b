"""Random submissions of any form: right ones by type, and whatever phones, imports and strangers have ever sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from dialogkit.model.form import Form, Question
from dialogkit.model.server import Received
from tests.builders import received

_DAYS: Final = ("2026-11-20", "1899-12-31", "0001-01-01", "9999-12-31", "2024-02-29")
_CLOCKS: Final = ("10:00:00.000", "23:59:59", "00:00", "09:30:15.5", "10:00:00.123456")
_ZONES: Final = ("Z", "+05:45", "-00:00", "+00:00", "-03:30", "+14:00", "+02")
_NUMBERS: Final = ("0", "-7", "12.50", "+3", "007", ".5", "5.", "1e3", "1E-3", "99999999.99")
_CODES: Final = ("yes", "no", "1", "2")

#: Not of their type, or of no type at all.
HOSTILE: Final = (
    *("12.6", "1e3", " 12 ", "12 ", "nan", "NaN", "inf", "-Infinity", "1_000", "0x1F", "1,5", str(2**70), str(2**63)),
    *(str(2**63 - 1), str(-(2**63)), "1e400", "-1e-400", "٣", "１２", "+-1", "--", ".", "e3", "true", "null", "None"),
    *("0000-01-01", "10000-01-01", "-0001-01-01", "2026-02-30", "2026-13-01", "2026-1-1", "2026-11-20Z", "20261120"),
    *("epoch", "infinity", "today", "2026-11-20 ", "2026-11-20T10:00:00", "2026-11-20 10:00:00Z", "2026-11-20T25:00Z"),
    *("24:00:00", "23:59:60", "10:00:60Z", "1:00", "10:00:00+25:00", "2026-11-20T10:00:00+99:99", "T10:00"),
    *("0000-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "10000-01-01T00:00:00Z"),
    *("2026-11-20T10:00:00.1234567890Z", "2026-11-20T10:00:00.123456789+05:45", "2026-11-20T24:00:00Z"),
    *("1 2", "91 0", "0 181", "-90 -180 0 0", "1 2 3 4 5", "1  2", " 1 2", "1,2", "1 2 nan", "1e999 2", "1 2 3 "),
    *("1 2;3 4", "1 2 0 0;3 4 0 0;1 2 0 0", "1 2;", ";", "1 2;x y", "1 2;;3 4", "1 2; 3 4", "91 0;0 0", "1 2 3 4;5 6"),
    *("yes yes", "yes  no", " yes", "yes\tno", "yes\u00a0no", "\u2003", "two words", "nowhere", "no nowhere"),
    *(
        "\x01",
        "a\x1fb",
        "\x7f",
        "\x0b",
        "\x0c",
        "\ufeff12",
        "a\rb\r\nc",
        "\u2028",
        "😀",
        "👩‍👩‍👧",
        "𝔘",
        "עברית 12",
        "\u202e12",
    ),
    *("'; DROP TABLE accepted.f; --", '"', "''", "\\", "\\u0041", "$.a", "%s {0}", "=1+1", "@SUM(A1)", "-cmd", "+1+1"),
    *("[]", "{}", '[{"a": 1}]', '"x"', "", " ", "\n", "x" * 3000, "é", "e\u0301", "a.jpg", "../../a.jpg"),
)
#: Keys that no form has; some are unfit for a JSON pointer, one looks like our own mark for rows.
_STRANGE: Final = (
    *("unknown", "g/unknown", "x.y.z", "a b", "é", "_id", "$.a", "*", "a[0]", "a[*]", "x[]", "#", "?", "a'b", "''"),
    *('a"b', '"', "a\\b", "\\", "k" * 300, "😀", "formhub/uuid", "__version__", "_attachments", "meta/unknown", "%"),
)


@dataclass
class Answerer:
    """Random answers of one form.

    Args:
        rng: the only source of chance.
        form: the version that is answered.
        hostile: how many of a hundred answers are not of their type.
        strange: whether there are keys that no form has.
        shapes: whether rows and texts stand in each other's place.
    """

    rng: Random
    form: Form
    hostile: int = 30
    strange: bool = True
    shapes: bool = True

    def answers(self, repeat: str = "", rows: int = 3) -> dict[str, Any]:
        """Answers of the submission, or of one row of `repeat` (each repeat in it has at most `rows` rows)."""
        found: dict[str, Any] = {}
        for question in self.form.questions:
            if question.has_answer and self.form.repeat_of(question.path) == repeat and self._chance(75):
                found[question.path] = self._answer(question)
        for path in sorted(self.form.repeats):
            if self.form.repeat_of(path) == repeat and self._chance(80):
                found[path] = self._rows(path, rows)
        if self.strange and self._chance(25):
            found.update(self._unknown(repeat, found))
        # Answers come in any order: the order of keys must not matter.
        return dict(self.rng.sample(list(found.items()), len(found)))

    def _answer(self, question: Question) -> Any:
        if self.shapes and self._chance(2):
            return [{question.path: self._text(question)} for _ in range(self.rng.randint(0, 2))]
        return self._text(question)

    def _text(self, question: Question) -> str:
        return self.rng.choice(HOSTILE) if self._chance(self.hostile) else valid(self.rng, question, self.form)

    def _rows(self, path: str, most: int) -> Any:
        if self.shapes and self._chance(4):
            return self.rng.choice(HOSTILE)
        return [{} if self._chance(8) else self.answers(path, min(most, 3)) for _ in range(self.rng.randint(0, most))]

    def _unknown(self, repeat: str, found: Mapping[str, Any]) -> dict[str, Any]:
        strange: dict[str, Any] = {}
        for _ in range(self.rng.randint(1, 3)):
            key = self.rng.choice(_STRANGE)
            key = f"{repeat}/{key}" if repeat and self._chance(80) else key
            if found and self._chance(30):
                key = self.rng.choice(list(found)).swapcase()
            if key not in found and key not in self.form.by_path and key not in self.form.repeats:
                text = self.rng.choice(HOSTILE)
                inside = [{f"{key}/x": text}, {}, {f"{key}/deep": [{f"{key}/deep/y": "1"}]}]
                strange[key] = inside if self._chance(25) else text
        if self.shapes and self._chance(15):
            # Rows of a repeat where none of it belongs.
            elsewhere = [path for path in sorted(self.form.repeats) if self.form.repeat_of(path) != repeat]
            strange |= {path: [{f"{path}/x": "1"}] for path in elsewhere[:1] if path not in found}
        return strange

    def _chance(self, percent: int) -> bool:
        return self.rng.random() * 100 < percent


def valid(rng: Random, question: Question, form: Form) -> str:
    """A text of the lexical form of the question's type."""
    if question.type in ("select_one", "select_multiple", "rank"):
        choices = [choice.name for choice in form.choice_lists.get(question.list_name, ())] or _CODES
        most = 1 if question.type == "select_one" else min(3, len(choices))
        return " ".join(rng.sample(sorted(choices), rng.randint(1, most)))
    return _VALID.get(question.type, _said)(rng)


def _said(rng: Random) -> str:
    return rng.choice(
        (
            "said",
            "12",
            "12.5",
            "2026-11-20",
            "2026-11-20T10:00:00.000+02:00",
            "2026-11-20T00:00:00.000Z",
            "un été",
            "a b",
            "0",
        )
    )


def _moment(rng: Random) -> str:
    return f"{rng.choice(_DAYS[:2])}T{rng.choice(_CLOCKS)}{rng.choice(_ZONES)}"


def _clock(rng: Random) -> str:
    return rng.choice(_CLOCKS) + rng.choice(("", *_ZONES))


def _point(rng: Random) -> str:
    parts = [f"{rng.uniform(-90, 90):.6f}", f"{rng.uniform(-180, 180):.6f}", "12.5", "4"]
    return " ".join(parts[: rng.choice((2, 3, 4, 4))])


def _trace(rng: Random) -> str:
    return ";".join(_point(rng) for _ in range(rng.randint(2, 4)))


def _shape(rng: Random) -> str:
    points = [_point(rng) for _ in range(3)]
    return ";".join([*points, points[0]])


_VALID: Final[Mapping[str, Callable[[Random], str]]] = {
    "integer": lambda rng: str(rng.randint(-(10 ** rng.randint(0, 18)), 10 ** rng.randint(0, 18))),
    "decimal": lambda rng: rng.choice(_NUMBERS),
    "range": lambda rng: rng.choice(_NUMBERS),
    "date": lambda rng: rng.choice(_DAYS),
    "today": lambda rng: rng.choice(_DAYS),
    "time": _clock,
    "datetime": _moment,
    "start": _moment,
    "end": _moment,
    "geopoint": _point,
    "geotrace": _trace,
    "geoshape": _shape,
    "image": lambda rng: f"{rng.randint(1, 9)}.jpg",
}


def random_submission(rng: Random, forms: Sequence[Form], number: int, **facts: Any) -> Received:
    """A submission of one of the versions `forms`; some name a version that nobody knows, or another than theirs."""
    form = rng.choice(forms)
    version = rng.choice((*[form.version] * 6, rng.choice(forms).version, "unheard of", ""))
    answers = Answerer(rng, form, **facts).answers()
    return received(form, answers, f"uuid:{number}", version=version, body=b"<data/>")
