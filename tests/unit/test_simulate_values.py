"""Values that are made up: goals of conditions, patterns, texts, types."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from dialogkit.forms.simulating import words
from dialogkit.forms.simulating.goals import Goals, Impossible, Want
from dialogkit.forms.simulating.limits import Bounds, Limits, limits_of
from dialogkit.forms.simulating.patterns import matching
from dialogkit.forms.simulating.values import Question, value
from dialogkit.logic.bind import bind
from dialogkit.logic.parse import Number, Text
from dialogkit.logic.tree import Tree
from dialogkit.model.synthetic import PREFIX, synthetic_id
from tests.builders import make_form

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FORM = make_form(
    "f",
    "1",
    [
        ("select_one", "a", {"choices": ["yes", "no"]}),
        ("select_multiple", "b", {"choices": ["x", "y", "none"]}),
        ("integer", "n"),
        ("text", "hidden"),
        ("calculate", "c", {"calculation": "if(${a} = 'yes' and ${n} > 3, 'open', 'shut')"}),
    ],
)


class Known:
    """What a search knows in these tests."""

    def calculation(self, path: str) -> Tree | None:
        return bind(FORM.by_path[path].calculation, FORM, path) if path == "c" else None

    def fixed(self, path: str) -> str | None:
        return "" if path == "hidden" else None

    def codes(self, path: str) -> frozenset[str] | None:
        return {"a": frozenset({"yes", "no"})}.get(path)


def wants(condition: str, seed: int = 1) -> set[tuple[str, str, str, str]]:
    found = Goals(Random(seed), Known()).of(bind(condition, FORM, "n"))
    return {(one.path, one.of, one.sign, _text(one.other)) for one in found}


def _text(tree: Tree) -> str:
    return tree.value if isinstance(tree, Text) else tree.digits if isinstance(tree, Number) else "?"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("${a} = 'yes'", {("a", "value", "=", "yes")}),
        ("'yes' = ${a}", {("a", "value", "=", "yes")}),
        ("not(${a} = 'yes')", {("a", "value", "!=", "yes")}),
        ("3 < ${n}", {("n", "value", ">", "3")}),
        ("${a} = 'yes' and . >= 2", {("a", "value", "=", "yes"), ("n", "value", ">=", "2")}),
        ("not(${a} = 'yes' or ${n} > 5)", {("a", "value", "!=", "yes"), ("n", "value", "<=", "5")}),
        ("selected(${b}, 'x')", {("b", "value", "selected", "x")}),
        ("count-selected(${b}) <= 2", {("b", "count", "<=", "2")}),
        ("string-length(${hidden}) < 5", {("hidden", "length", "<", "5")}),
        ("${c} = 'open'", {("a", "value", "=", "yes"), ("n", "value", ">", "3")}),
        ("${hidden} != '' or ${a} = 'no'", {("a", "value", "=", "no")}),
    ],
)
def test_a_condition_says_what_it_wants(condition: str, expected: set[tuple[str, str, str, str]]) -> None:
    assert wants(condition) == expected


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("1 = 2", "never met"),
        ("false()", "never met"),
        ("${hidden} != ''", "nobody can give"),
        ("${a} = 'maybe'", "its list does not have"),
        ("selected('x y', 'z')", "never met"),
        ("${c} = 'ajar'", "never met"),
    ],
)
def test_what_no_answer_makes_true_is_told(condition: str, reason: str) -> None:
    with pytest.raises(Impossible, match=reason):
        wants(condition)


@pytest.mark.parametrize(
    "pattern",
    [
        "^[A-Z]{3}-[A-Z0-9]{2,8}$",
        "^https?://[^ ]+$",
        r"\d{4}(-\d{2})?",
        "(a|bc)+",
        r"[^\d\s]{2,}",
        r"^(.)\1$",
        "[é-ï]x*?",
    ],
)
def test_a_text_fits_its_pattern(pattern: str) -> None:
    found = [matching(Random(seed), pattern) for seed in range(20)]
    assert all(one is not None and re.fullmatch(pattern, one) for one in found)


def test_what_cannot_be_made_up_is_left() -> None:
    assert matching(Random(1), "(?=x)y") is None
    assert matching(Random(1), "[") is None


def test_classes_of_java_are_known() -> None:
    assert re.fullmatch("[A-Za-zÀ-ÿ]{3}", matching(Random(2), r"\p{L}{3}") or "")


@pytest.mark.parametrize(("low", "high"), [(0, 60), (1, 3), (5, 7), (100, 120), (30, 30)])
def test_a_text_keeps_its_length_as_phones_count_it(low: int, high: int) -> None:
    for seed in range(50):
        assert low <= words.length(words.text(Random(seed), low, high)) <= high


def test_texts_are_plainly_made_up_and_of_many_scripts() -> None:
    some = [words.text(Random(seed), 20, 60) for seed in range(200)]
    assert not any("@" in one for one in some)
    assert {"Latn" if one.isascii() else "other" for one in some} == {"Latn", "other"}
    assert all(one.split()[0] in {"made", "synthetic", "inventé", "sintético", "مصطنع", "выдумано"} for one in some)


def limits(*some: tuple[str, str, str]) -> Limits:
    """Wants on a value, as (of, sign, number or text)."""
    trees = [Want("n", of, sign, Text(other)) for of, sign, other in some]  # type: ignore[arg-type] # written out

    def number(tree: Tree) -> float:
        try:
            return float(_text(tree))
        except ValueError:
            return float("nan")

    return limits_of(trees, number, _text)


@pytest.mark.parametrize(
    ("kind", "wanted", "fits"),
    [
        ("integer", [("value", ">=", "1900"), ("value", "<", "1905")], lambda v: 1900 <= int(v) < 1905),
        ("integer", [("value", ">", "-3"), ("value", "<=", "-1")], lambda v: int(v) in (-2, -1)),
        ("decimal", [("value", ">", "0"), ("value", "<", "0.5")], lambda v: 0 < float(v) < 0.5),
        ("date", [("value", ">=", "20000"), ("value", "<=", "20001")], lambda v: v in ("2024-10-04", "2024-10-05")),
        ("text", [("length", ">=", "5"), ("length", "<=", "9")], lambda v: 5 <= words.length(v) <= 9),
        ("text", [("value", "regex", "[a-c]{4}")], lambda v: re.fullmatch("[a-c]{4}", v)),
        ("text", [("value", "starts", "AB")], lambda v: v.startswith("AB")),
        ("text", [("value", "=", "said")], lambda v: v == "said"),
        ("select_one", [("value", "!=", "a")], lambda v: v in ("b", "c")),
        (
            "select_multiple",
            [("count", "=", "2"), ("value", "selected", "c")],
            lambda v: len(v.split()) == 2 and "c" in v,
        ),
        ("rank", [], lambda v: sorted(v.split()) == ["a", "b", "c"]),
        ("time", [], lambda v: re.match(r"\d\d:\d\d:00\.000", v)),
        ("datetime", [], lambda v: datetime.fromisoformat(v) <= NOW),
        ("acknowledge", [], lambda v: v == "OK"),
        ("geopoint", [], lambda v: len(v.split()) == 4),
        ("image", [], lambda v: v == "photo.png"),
    ],
)
def test_a_value_is_of_its_type_and_within_its_limits(
    kind: str, wanted: list[tuple[str, str, str]], fits: object
) -> None:
    assert callable(fits)
    for seed in range(30):
        question = Question(kind, NOW, offered=("a", "b", "c"), file="photo")
        assert fits(value(Random(seed), question, limits(*wanted)))


def test_a_range_keeps_its_steps() -> None:
    question = Question("decimal", NOW, range=(0.5, 2.0, 0.5))
    assert {value(Random(seed), question, Limits()) for seed in range(50)} == {"0.5", "1", "1.5", "2"}


def test_bounds_that_exclude_each_other_leave_nothing() -> None:
    nothing = Limits(value=Bounds(low=5, high=4))
    assert value(Random(1), Question("integer", NOW), nothing) == ""
    assert value(Random(1), Question("date", NOW), nothing) == ""


def test_the_id_of_a_made_up_submission_says_so_and_is_an_uuid() -> None:
    one = synthetic_id("f", "1", "7", "1")
    assert one == synthetic_id("f", "1", "7", "1") != synthetic_id("f", "1", "7", "2")
    assert re.fullmatch(r"uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one)
    assert one.startswith(PREFIX)


def test_this_page_of_the_docs_names_the_prefix() -> None:
    page = Path(__file__).parents[2] / "docs" / "simulate.md"
    assert PREFIX in page.read_text(encoding="utf-8")
