"""The logic of a form over one stored submission."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dialogkit.logic.answers import Facts, Row
from dialogkit.logic.form_logic import FormLogic
from dialogkit.logic.replay import Judged, replay
from dialogkit.logic.settle import settle
from dialogkit.model.form import Choice, Form, Question, Section
from dialogkit.model.submission import Answers

FACTS = Facts(datetime(2026, 11, 20, tzinfo=UTC))
FORM = Form(
    "f",
    "1",
    "F",
    (),
    "",
    (
        Question("n", "n", "integer", constraint=". < 5", required="yes"),
        Question("s", "g/s", "select_one", "fruits", required="${n} > 1", choice_filter="size >= ${n}"),
        Question("m", "g/m", "select_multiple", "fruits"),
        Question("double", "double", "calculate", calculation="${n} * 2"),
        Question("four", "four", "calculate", calculation="${double} * 2"),
        Question("code", "code", "calculate", calculation="uuid()"),
        Question("after", "after", "text", relevant="random() > 0.5", required="yes"),
        Question("x", "r/x", "integer", constraint=". > position(..)", required="true()"),
        Question("later", "later", "calculate", calculation="now()", trigger="${n}"),
        Question("file", "file", "select_one", "places.csv"),
    ),
    (Section("group", "g", "g", {}, relevant="${n} != 3"), Section("repeat", "r", "r", {}, repeat_count="${n}")),
    {"fruits": (Choice("a", {"": "A"}, {"size": "1"}), Choice("b", {"": "B"}, {"size": "9"}))},
)


def judged(answers: Answers, *, recalculate: bool = False) -> dict[tuple[str, str], Judged]:
    """By path and row; the count of a repeat stands under `r#`."""
    found = {}
    for one in replay(FORM, answers, FACTS, recalculate=recalculate):
        counts = one.path == "r" and one.relevant is None
        found[one.path + ("#" if counts else ""), one.row] = one
    return found


def test_a_submission_that_is_right_has_nothing_against_it() -> None:
    rows: list[Answers] = [{"r/x": "3"}, {"r/x": "3"}]
    found = judged({"n": "2", "g/s": "b", "g/m": "a b", "double": "4", "four": "8", "r": rows})
    assert (found["n", ""].required, found["n", ""].constraint) == (True, True)
    assert (found["g/s", ""].required, found["g/s", ""].chosen, found["g/m", ""].chosen) == (True, True, True)
    assert (found["double", ""].calculated, found["four", ""].calculated) == ("4", "8")
    assert [found["r/x", row].constraint for row in "12"] == [True, True]
    assert found["r#", ""].count == 2
    assert found["later", ""].calculated is None


def test_what_is_wrong_is_told_at_its_row() -> None:
    found = judged({"n": "7", "g/s": "a", "g/m": "a c", "double": "5", "r": [{"r/x": "3"}, {"r/x": "1"}, {}]})
    assert found["n", ""].constraint is False
    assert (found["g/s", ""].chosen, found["g/m", ""].chosen) == (False, False)
    assert [found["r/x", row].constraint for row in "123"] == [True, False, None]
    assert found["r/x", "3"].required is True
    assert found["r#", ""].count == 7


def test_calculations_are_judged_on_what_is_stored_unless_they_are_made_anew() -> None:
    stored: Answers = {"n": "2", "double": "5", "four": "8"}
    assert judged(stored)["double", ""].calculated == "4"
    assert judged(stored)["four", ""].calculated == "10"
    assert judged(stored, recalculate=True)["four", ""].calculated == "8"


def test_nothing_is_required_of_what_is_not_relevant() -> None:
    found = judged({"n": "3", "g/s": "a"})
    assert found["g", ""].relevant is False
    assert found["g/s", ""] == Judged("g/s", "", relevant=False)


def test_an_empty_count_asks_for_no_number() -> None:
    assert judged({})["r#", ""].count is None


def test_what_cannot_be_decided_is_never_passed_as_checked() -> None:
    found = judged({"n": "1", "code": "abc", "file": "x"})
    assert (found["code", ""].calculated, list(found["code", ""].undecided)) == (None, ["calculation"])
    assert (found["after", ""].relevant, found["after", ""].required) == (None, None)
    assert "chance" in found["after", ""].undecided["relevant"]
    assert (found["file", ""].chosen, list(found["file", ""].undecided)) == (None, ["choice_filter"])


def test_a_form_is_walked_one_answer_at_a_time() -> None:
    logic = FormLogic(FORM)
    root = Row()
    assert not logic.constraint("n", root, FACTS, "6")
    assert logic.constraint("n", root, FACTS, "4")
    assert root.values.get("n", "") == ""
    root.values["n"] = "2"
    settle(logic, root, FACTS)
    assert root.values["four"] == "8"
    assert logic.choices("g/s", root, FACTS) == ["b"]
    assert logic.count("r", root, FACTS) == 2
    row = root.add("r")
    assert (row.label, logic.constraint("r/x", row, FACTS, "1")) == ("1", False)


def test_order_follows_need_and_a_circle_has_all_of_them_too() -> None:
    order = FormLogic(FORM).order
    assert order.index(("double", "calculation")) < order.index(("four", "calculation"))
    a, b = Question("a", "a", "calculate", calculation="${b}"), Question("b", "b", "calculate", calculation="${a}")
    circle = FormLogic(Form("f", "1", "F", (), "", (a, b), (), {})).order
    assert circle == (("a", "calculation"), ("b", "calculation"))


def test_a_form_that_cannot_be_read_says_so_each_time() -> None:
    logic = FormLogic(Form("f", "1", "F", (), "", (Question("a", "a", "text", constraint="((("),), (), {}))
    for _ in range(2):
        (one,) = replay(logic.form, {"a": "x"}, FACTS, logic)
        assert one.constraint is None
        assert "cannot be read" in one.undecided["constraint"]


@pytest.mark.parametrize(("stored", "four"), [("4", "8"), ("x", "")])
def test_a_stored_calculation_is_read_as_the_type_that_it_has(stored: str, four: str) -> None:
    assert judged({"n": "2", "double": stored})["four", ""].calculated == four
