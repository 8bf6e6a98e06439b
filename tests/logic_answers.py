"""One submission with nested repeats, to try expressions of its form in Python."""

from __future__ import annotations

from datetime import UTC, datetime

from dialogkit.logic.answers import Facts, Row
from dialogkit.logic.bind import bind
from dialogkit.logic.evaluate import evaluate
from dialogkit.logic.values import Value, stored
from dialogkit.model.form import Choice, Form, Question, Section
from dialogkit.model.submission import Answers

NOW = datetime(2026, 11, 20, 10, 11, 12, 345_000, tzinfo=UTC)
PLACES = [
    {"name": "a", "label": "Aa", "region": "1"},
    {"name": "b", "label": "Bb", "region": "02"},
    {"name": "b", "label": "Second", "region": "2"},
]
FACTS = Facts(NOW, media={"places.csv": PLACES})
FORM = Form(
    "f",
    "7",
    "F",
    ("en", "fr"),
    "en",
    (
        Question("t", "t", "text"),
        Question("i", "i", "integer"),
        Question("d", "d", "decimal"),
        Question("day", "day", "date"),
        Question("at", "at", "datetime"),
        Question("ticked", "ticked", "select_multiple", "fruits"),
        Question("one", "one", "select_one", "fruits", choice_filter="size = ${i}"),
        Question("place", "place", "select_one", "places.csv"),
        Question("point", "point", "geopoint"),
        Question("c", "c", "calculate", calculation="1"),
        Question("x", "r/x", "integer"),
        Question("own", "r/own", "calculate", calculation="1"),
        Question("y", "r/g/k/y", "decimal"),
        Question("deep", "r/g/k/deep", "calculate", calculation="1"),
    ),
    (
        Section("repeat", "r", "r", {}),
        Section("group", "g", "r/g", {}),
        Section("repeat", "k", "r/g/k", {}),
    ),
    {
        "fruits": (
            Choice("apple", {"en": "Apple", "fr": "Pomme"}, {"size": "7"}),
            Choice("plum", {"en": "Plum", "fr": "Prune"}, {"size": "1"}),
        )
    },
)
ANSWERS: Answers = {
    "t": "hello 2",
    "i": "7",
    "d": "2.5",
    "day": "2026-11-20",
    "at": "2026-03-29T02:30:00.000+03:00",
    "ticked": "apple plum",
    "one": "apple",
    "place": "b",
    "point": "1.5 36.8 10 5",
    "r": [
        {"r/x": "2", "r/g/k": [{"r/g/k/y": "1.5"}, {"r/g/k/y": "3"}]},
        {"r/x": "10", "r/g/k": [{"r/g/k/y": "4"}]},
        {},
    ],
}


def value(expression: str, at: str = "c", row: Row | None = None, facts: Facts = FACTS) -> Value:
    """The value of an expression at a question of the form, in its row."""
    return evaluate(bind(expression, FORM, at), FORM, row or Row.of(ANSWERS), facts, at)


def told(expression: str, facts: Facts = FACTS) -> str:
    """What a calculation stores."""
    return stored(value(expression, facts=facts), "text")[0]
