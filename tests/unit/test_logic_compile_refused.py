"""What SQL cannot say is left to Python, and what is not stored is refused with the reason."""

from __future__ import annotations

import pytest

from dialogkit.logic.bind import bind
from dialogkit.logic.compile import compile_tree
from dialogkit.logic.parse import NeedsPython, NotDecidable
from tests.logic_rows import Stage, every_kind


@pytest.fixture(scope="module")
def stage() -> Stage:
    return every_kind()


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("regex(${t}, '(?=a)b')", "look-ahead"),
        ("regex(${t}, '[a-z&&[^b]]')", "set of signs"),
        ("regex(${t}, ${t})", "not written out"),
        ("format-date(${d}, ${t})", "not written out"),
        ("distance(${place})", "distance"),
        ("digest(${t}, 'MD5')", "digest"),
        ("round(${x}, ${n})", "not written out"),
        ("count(${hidden})", "not relevant"),
        ("concat(" + ", ".join(["${place}"] * 60) + ") = ''", "too long"),
    ],
)
def test_what_sql_cannot_say_is_left_to_python(stage: Stage, expression: str, reason: str) -> None:
    with pytest.raises(NeedsPython) as caught:
        compile_tree(bind(expression, stage.form, "n"), stage.rows("n"), "n")
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("random() > 0", "random"),
        ("concat(once(uuid()), '-')", "uuid"),
        ("once(uuid()) = 'x'", "uuid"),
        ("format-date(once(uuid()), '%Y')", "uuid"),
        ("${nobody} = 1", "not the name"),
        ("unheard-of(1)", "unheard-of"),
        ("not(1, 2)", "2 arguments"),
        ("if(1, 2)", "if"),
        ("property('deviceid')", "phone"),
        ("jr:itext('x')", "language"),
        ("decimal-time(now())", "not stored"),
        ("format-date(${d}, '%b')", "language"),
        ("date(true())", "as a date"),
    ],
)
def test_what_cannot_be_decided_says_why_and_is_never_guessed(stage: Stage, expression: str, reason: str) -> None:
    with pytest.raises(NotDecidable) as caught:
        compile_tree(bind(expression, stage.form, "kept"), stage.rows("kept"), "kept")
    assert not isinstance(caught.value, NeedsPython)
    assert reason in caught.value.reason
