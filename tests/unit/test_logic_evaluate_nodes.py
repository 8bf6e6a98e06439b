"""Rows of repeats, lists and files as expressions in Python read them (every value here was asked of JavaRosa 5.1)."""

from __future__ import annotations

import pytest

from dialogkit.logic.answers import Facts, Row
from dialogkit.logic.values import stored
from tests.logic_answers import ANSWERS, NOW, told, value


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("count(${r})", "3"),
        ("sum(${x})", "12"),
        ("sum(${y})", "8.5"),
        ("count-non-empty(${x})", "2"),
        ("max(${x})", "10"),
        ("join(';', ${x})", "2;10;"),
        ("indexed-repeat(${x}, ${r}, 2)", "10"),
        ("indexed-repeat(${x}, ${r}, 0)", "2"),
        ("indexed-repeat(${y}, ${r}, 1, ${k}, 2)", "3"),
        ("indexed-repeat(${y}, ${r}, 3, ${k}, 2)", ""),
        ("count(${r}[x > 2])", "1"),
        ("sum(${r}[position() < 3]/x)", "12"),
        ("/data/r[1]/x", ""),
        ("count(${r}[count(./g/k) > 1])", "1"),
        ("instance('places')/root/item[name = 'a']/region", "1"),
        ("count(instance('places')/root/item[region = 2])", "2"),
        ("count(instance('places')/root/item[region = '2'])", "1"),
        ("count(instance('fruits')/root/item[size != 7 and name = 'plum'])", "1"),
        ("pulldata('places', 'label', 'name', ${place})", "Bb"),
        ("pulldata('places', 'label', 'region', 2)", "Second"),
        ("jr:choice-name(${one}, '${one}')", "Apple"),
        ("jr:choice-name('plum', '${one}')", ""),
        ("jr:choice-name(selected-at(${ticked}, 1), '${ticked}')", "Plum"),
    ],
)
def test_nodes_and_lists_are_read_as_phones_read_them(expression: str, text: str) -> None:
    assert told(expression) == text


def test_the_label_of_a_choice_is_in_the_language_of_the_phone() -> None:
    assert told("jr:choice-name(${one}, '${one}')", Facts(NOW, language="fr")) == "Pomme"


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("${x}", "10"),
        ("count(${r})", "1"),
        ("sum(${y})", "4"),
        ("position(..)", "2"),
        ("indexed-repeat(${x}, ${r}, position(..) - 1)", "2"),
        ("sum(../../r[position() <= position(current()/..)]/x)", "12"),
        ("count(../../r[x < current()/../x])", "1"),
    ],
)
def test_a_row_sees_itself_and_by_climbing_out_all_the_others(expression: str, text: str) -> None:
    row = Row.of(ANSWERS).below["r"][1]
    assert stored(value(expression, "r/own", row), "text")[0] == text


def test_a_row_within_a_row_knows_both_places() -> None:
    row = Row.of(ANSWERS).below["r"][0].below["r/g/k"][1]
    assert row.label == "1/2"
    assert value("concat(position(..), position(../../..), ${x}, ${y})", "r/g/k/deep", row) == "2123"


def test_what_is_not_relevant_reads_as_empty_and_is_not_counted() -> None:
    root = Row.of(ANSWERS)
    root.hidden.add("i")
    root.below["r"][1].hidden.add("r")
    root.below["r"][0].hidden.add("r/g")
    assert value("${i} = ''", row=root) is True
    assert (value("count(${r})", row=root), value("sum(${x})", row=root)) == (2.0, 2.0)
    assert value("count(${k})", row=root) == 0.0
    assert value("position(..)", "r/own", root.below["r"][1]) == 0.0


def test_rows_give_back_the_answers_that_they_were_made_of() -> None:
    assert Row.of(ANSWERS).answers() == ANSWERS
