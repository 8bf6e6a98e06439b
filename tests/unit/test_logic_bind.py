"""What names and paths of an expression mean at their place in a form."""

from __future__ import annotations

import pytest

from dialogkit.logic.bind import bind, bind_filter
from dialogkit.logic.parse import NotDecidable, Text
from dialogkit.logic.tree import (
    ChoiceName,
    Column,
    Function,
    Items,
    Nodes,
    Operation,
    Position,
    Tree,
    paths_in,
    trees_in,
)
from tests.builders import make_form

FORM = make_form(
    "f",
    "1",
    [
        ("text", "a"),
        ("select_one", "g/c", {"list_name": "colours", "choice_filter": "warm = ${a} and name != current()/../d"}),
        ("text", "g/d"),
        ("repeat", "r"),
        ("integer", "r/x"),
        ("integer", "r/y"),
        ("repeat", "r/k"),
        ("integer", "r/k/z"),
        ("select_one_from_file", "file", {"list_name": "towns.csv"}),
    ],
)


@pytest.mark.parametrize(
    ("expression", "at", "tree"),
    [
        ("${a}", "r/x", Nodes("a", "")),
        (".", "r/x", Nodes("r/x", "r")),
        ("${x}", "a", Nodes("r/x", "", ("r",))),  # from outside: of all rows
        ("${x}", "r/y", Nodes("r/x", "r")),  # of the same row
        ("${z}", "r/y", Nodes("r/k/z", "r", ("r/k",))),
        ("${x}", "r/k/z", Nodes("r/x", "r")),
        ("../x", "r/y", Nodes("r/x", "r")),
        ("/data/r/x", "r/y", Nodes("r/x", "r")),
        ("/data/r/x", "a", Nodes("r/x", "", ("r",))),
        ("../../r/x", "r/y", Nodes("r/x", "", ("r",))),  # climbs out of the repeat: all rows
        ("current()/../d", "g/c", Nodes("g/d", "")),
        ("${r}", "a", Nodes("r", "", ("r",))),
        ("position(..)", "r/x", Position("r")),
        ("position(../..)", "r/k/z", Position("r")),
        ("jr:choice-name(${c}, '${c}')", "a", ChoiceName(Nodes("g/c", ""), "g/c")),
    ],
)
def test_a_name_or_path_means_nodes_of_the_present_row_or_of_all_rows(expression: str, at: str, tree: Tree) -> None:
    assert bind(expression, FORM, at) == tree


def test_a_condition_belongs_to_the_rows_that_it_judges() -> None:
    judged = Operation("=", Nodes("r/y", "r", inner=True), Nodes("a", ""))
    assert bind("/data/r[y = ${a}]/x", FORM, "r/x") == Nodes("r/x", "", ("r",), (("r", judged),))


def test_indexed_repeat_counts_from_one_and_takes_the_first_row_for_what_is_no_place() -> None:
    tree = bind("indexed-repeat(${x}, ${r}, ${a})", FORM, "a")
    place = Function("max", (bind("1", FORM, "a"), Function("int", (Nodes("a", ""),))))
    assert tree == Nodes("r/x", "", ("r",), (("r", Operation("=", Position(), place)),))


def test_a_plain_name_in_a_choice_filter_is_a_column() -> None:
    tree = bind_filter(FORM.by_path["g/c"], FORM)
    assert [part.name for part in trees_in(tree) if isinstance(part, Column)] == ["warm", "name"]
    assert paths_in(tree) == {"a", "g/d"}


def test_a_file_is_known_by_its_stem_too() -> None:
    tree = bind("instance('towns')/root/item[name = 'x']/label", FORM, "a")
    assert tree == Items("file", "towns.csv", "label", (Operation("=", Column("name"), Text("x")),))


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("${nobody}", "not the name of one question"),
        ("${last-saved#a}", "submission before"),
        ("instance('l')", "as if it were one value"),
        ("${a}[1]", "no repeat"),
        ("/data/*", "takes \\*"),
        ("position(${a})", "present row"),
        ("jr:choice-name(${c}, ${c})", "quotation marks"),
        ("indexed-repeat(${x}, ${a}, 1)", "no repeat"),
        ("pulldata('f', ${a}, 'k', 1)", "written out"),
    ],
)
def test_what_means_nothing_that_is_stored_is_refused_with_the_reason(expression: str, reason: str) -> None:
    with pytest.raises(NotDecidable, match=reason):
        bind(expression, FORM, "a")


@pytest.mark.parametrize("expression", ["../nothing", "PP", "/data/nothing", "FALSE"])
def test_a_word_or_path_that_the_form_does_not_have_reads_as_empty(expression: str) -> None:
    assert bind(expression, FORM, "a") == Text("")
