"""Random submissions of a form whose conditions come true: answers are taken from the form's own expressions.

Right answers, blanks, codes out of the list, numbers and days about the limits, what phones and strangers have sent;
answers to questions that are not relevant, and rows beyond the count. The same seed gives the same submissions.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

from dialogkit import xml
from dialogkit.model.form import Form, Question
from dialogkit.model.submission import Answers
from tests.random_answers import HOSTILE, valid

_REFERENCE: Final = re.compile(r"\$\{\s*(?:last-saved#)?([^\s{}]+)\s*\}")
_TEXT: Final = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_NUMBER: Final = re.compile(r"(?<![\w.'\"-])-?\d+(?:\.\d+)?(?![\w'\"-])")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_SELECTS: Final = ("select_one", "select_multiple", "rank")
_WHOLE: Final = ("0", "1", "2", "3", "5", "7", "10", "18", "42", "99", "-1", "-7", "2147483647", "2147483648")
_BROKEN: Final = ("1.0", "2.50", "-0", "0.1", ".5", "1,5", " 3 ", "1e3", "12.6", "99999999999", "-0.5", "1000000.25")
_WORDS: Final = ("a", "A", "été", "😀 x", "12", "0", "1.0", "yes", "two words", "  x  ", "a-b.c@d.org", "2026-11-20")


@dataclass(frozen=True, slots=True)
class _Mood:
    """How one submission is answered, in percent.

    Args:
        blank: of the questions that stay empty.
        literal: of the answers that come from the expressions.
        hostile: of the answers that are not of their type.
    """

    blank: int
    literal: int
    hostile: int


_MOODS: Final = (_Mood(3, 60, 0), _Mood(20, 50, 0), _Mood(10, 40, 8), _Mood(50, 40, 15), _Mood(0, 80, 0))


class Randomly:
    """Random submissions of one form.

    Args:
        form: what is answered.
        seed: the same gives the same submissions.
        today: the day that dates are scattered about.
    """

    def __init__(self, form: Form, seed: int, today: date) -> None:
        self._form = form
        self._rng = Random(f"{form.form_id} {seed}")
        self._today = today
        self._literals = literals(form)

    def submissions(self, number: int) -> list[Answers]:
        """As many random submissions: canonical answers."""
        return [self._level("", self._rng.choice(_MOODS)) for _ in range(number)]

    def mutated(self, answers: Answers) -> Answers:
        """The same submission with a few other answers, here and in its rows, and perhaps another row."""
        mood = self._rng.choice(_MOODS)
        return self._other(answers, "", mood)

    def _other(self, answers: Answers, repeat: str, mood: _Mood) -> Answers:
        found = dict(answers)
        here = [one for one in self._form.questions if one.has_answer and self._form.repeat_of(one.path) == repeat]
        for question in self._rng.sample(here, min(len(here), self._rng.randint(1, 4))):
            text = self._answer(question, mood)
            found.pop(question.path, None)
            if text and xml.writable(text):
                found[question.path] = text
        for path in sorted(self._form.repeats):
            rows = found.get(path, [])
            if self._form.repeat_of(path) == repeat and not isinstance(rows, str):
                found[path] = self._other_rows(path, list(rows), mood)
        return found

    def _other_rows(self, path: str, rows: list[Answers], mood: _Mood) -> list[Answers]:
        rows = [self._other(row, path, mood) if self._chance(40) else row for row in rows]
        if rows and self._chance(15):
            rows.pop(self._rng.randrange(len(rows)))
        if len(rows) < 4 and self._chance(20):
            rows.append(self._level(path, mood))
        return rows

    def _level(self, repeat: str, mood: _Mood) -> dict[str, str | list[Answers]]:
        found: dict[str, str | list[Answers]] = {}
        for question in self._form.questions:
            if question.has_answer and self._form.repeat_of(question.path) == repeat:
                text = self._answer(question, mood)
                if text and xml.writable(text):
                    found[question.path] = text
        for path in sorted(self._form.repeats):
            if self._form.repeat_of(path) == repeat:
                found[path] = [self._level(path, mood) for _ in range(self._rng.choice((0, 1, 1, 2, 2, 3)))]
        return found

    def _answer(self, question: Question, mood: _Mood) -> str:
        # Nobody is asked for these.
        blank = 70 if question.calculation or question.type == "hidden" else mood.blank
        if self._chance(blank):
            return ""
        if self._chance(mood.hostile):
            return self._rng.choice(HOSTILE)
        literal = self._literals.get(question.path, ())
        if literal and self._chance(mood.literal):
            return self._literal(question, literal)
        return self._typed(question)

    def _literal(self, question: Question, some: tuple[str, ...]) -> str:
        codes = {choice.name for choice in self._form.choice_lists.get(question.list_name, ())}
        if question.type not in _SELECTS or not codes:
            return self._rng.choice(some)
        some = tuple(one for one in some if one in codes) or tuple(sorted(codes))
        if question.type == "select_one":
            return self._rng.choice(some)
        more = self._rng.sample(sorted(codes), min(len(codes), self._rng.randint(0, 2)))
        return " ".join(dict.fromkeys([self._rng.choice(some), *more]))

    def _typed(self, question: Question) -> str:
        rng = self._rng
        if question.type in ("integer", "decimal", "range"):
            return rng.choice(_WHOLE if question.type == "integer" or self._chance(60) else _BROKEN)
        if question.type in ("date", "today"):
            days = rng.choice((0, 0, 1, -1, 2, -30, 30, -365, 4000, -20000))
            return (self._today + timedelta(days)).isoformat()
        if question.type in ("text", "calculate", "string", "hidden", "note", "barcode"):
            return rng.choice(_WORDS)
        if question.type in _SELECTS and self._chance(4):
            return rng.choice(("nowhere", "yes  no", "0"))
        return valid(rng, question, self._form)

    def _chance(self, percent: int) -> bool:
        return self._rng.random() * 100 < percent


def literals(form: Form) -> Mapping[str, tuple[str, ...]]:
    """What the expressions of a form compare each question with, and its neighbours, by path."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path, expression in _expressions(form):
        values = set(_values(expression))
        if not values:
            continue
        for name in _REFERENCE.findall(expression):
            for question in form.named(name):
                found[question.path] |= values
        if re.search(r"(?<![\w.)/])\.(?![\w./])", expression):
            found[path] |= values
    return {path: tuple(sorted(values)) for path, values in found.items()}


def _expressions(form: Form) -> Iterator[tuple[str, str]]:
    for question in form.questions:
        for text in (
            question.relevant,
            question.constraint,
            question.calculation,
            question.required,
            question.choice_filter,
        ):
            if text:
                yield question.path, text
    for section in form.sections:
        for text in (section.relevant, section.repeat_count):
            if text:
                yield section.path, text


def _values(expression: str) -> Iterator[str]:
    for single, double in _TEXT.findall(expression):
        text = single or double
        if len(text) <= 40:
            yield text
            if _DAY.fullmatch(text):
                day = date.fromisoformat(text)
                yield from ((day + timedelta(step)).isoformat() for step in (-1, 1))
    for number in _NUMBER.findall(_TEXT.sub("''", expression)):
        yield number
        if "." not in number:
            yield from (str(int(number) - 1), str(int(number) + 1))
