"""Expressions of forms as a tree."""

from __future__ import annotations

import pytest

from dialogkit.logic.parse import (
    Binary,
    Call,
    Name,
    Negative,
    Node,
    NotDecidable,
    Number,
    Path,
    Step,
    Text,
    names_in,
    nodes_in,
    parse,
)

A, B, ONE, TWO = Name("a"), Name("b"), Number("1"), Number("2")
HERE = Name(".")


def path(start: Node | None, *steps: str | Step) -> Path:
    return Path(start, tuple(Step(step) if isinstance(step, str) else step for step in steps))


@pytest.mark.parametrize(
    ("expression", "tree"),
    [
        ("${a} = 'x'", Binary("=", A, Text("x"))),
        ('${a} = "it\'s"', Binary("=", A, Text("it's"))),
        ("1 + 2 * ${a}", Binary("+", ONE, Binary("*", TWO, A))),
        ("(1 + 2) * ${a}", Binary("*", Binary("+", ONE, TWO), A)),
        ("2 - 1 - ${a}", Binary("-", Binary("-", TWO, ONE), A)),
        ("${a}-1", Binary("-", A, ONE)),
        ("-${a} + 1", Binary("+", Negative(A), ONE)),
        ("1 div 2 mod ${a}", Binary("mod", Binary("div", ONE, TWO), A)),
        ("${a} or ${b} and 1", Binary("or", A, Binary("and", B, ONE))),
        ("${a} or(${b})", Binary("or", A, B)),
        ("1 < 2 = ${a}", Binary("=", Binary("<", ONE, TWO), A)),
        (". >= .5", Binary(">=", Name("."), Number(".5"))),
        ("count-selected(.)", Call("count-selected", (Name("."),))),
        ("jr:choice-name(${a}, '${b}')", Call("jr:choice-name", (A, Text("${b}")))),
        ("today()", Call("today", ())),
        ("position(..) - 1", Binary("-", Call("position", (path(HERE, ".."),)), ONE)),
        ("../x = 1", Binary("=", path(HERE, "..", "x"), ONE)),
        ("${last-saved#a}", Name("last-saved#a")),
        ("not-known", path(HERE, "not-known")),
        ("/data/r[2]/x", path(None, "data", Step("r", (TWO,)), "x")),
        ("${a}/b", path(A, "b")),
        ("${a}[1]", path(A, Step(".", (ONE,)))),
        ("current()/../x", path(Call("current", ()), "..", "x")),
        (
            "instance('l')/root/item[x = ${a}]/name",
            path(
                Call("instance", (Text("l"),)),
                "root",
                Step("item", (Binary("=", path(HERE, "x"), A),)),
                "name",
            ),
        ),
    ],
)
def test_an_expression_becomes_the_tree_that_xpath_means(expression: str, tree: Node) -> None:
    assert parse(expression) == tree


@pytest.mark.parametrize("expression", ["", "1 +", "if(1, 2", "(1", "${a} ${b}", "'open", "1 ! 2", "f(1,)", "${}"])
def test_what_is_no_expression_is_refused_with_the_place(expression: str) -> None:
    with pytest.raises(NotDecidable, match="cannot be read at character"):
        parse(expression)


@pytest.mark.parametrize("expression", ["${a} | ${b}", "${a}//b", "x//y", "x | y"])
def test_signs_that_phones_do_not_know_are_refused_by_name(expression: str) -> None:
    with pytest.raises(NotDecidable, match="phones do not know"):
        parse(expression)


def test_names_are_found_everywhere_but_in_texts() -> None:
    tree = parse("if(-${a} > 1, concat(${b}, '${c}'), .)")
    assert names_in(tree) == {"a", "b"}


@pytest.mark.parametrize(
    "expression",
    ["(" * 9_000 + "1" + ")" * 9_000, "-" * 9_000 + "1", "1" + " + 1" * 9_000, "not(" * 160 + "1" + ")" * 160],
)
def test_what_would_go_too_deep_is_refused_and_does_not_end_python(expression: str) -> None:
    with pytest.raises(NotDecidable, match="within each other"):
        parse(expression)


def test_a_chain_of_hundreds_is_an_expression_like_others() -> None:
    assert len(list(nodes_in(parse("${a}" + " or ${b}" * 290)))) == 581
