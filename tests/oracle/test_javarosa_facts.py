"""What JavaRosa does where nobody would guess it: our evaluation and our SQL rely on each of these."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dialogkit.forms.build import build_form
from tests.oracle.conftest import Ask
from tests.oracle.instances import answers_of

_EXPRESSIONS = {
    # Text and numbers.
    "${none} = ''": "1",
    "${none} = 0": "0",
    "${none} < 1": "0",
    "${none} + 1": "",
    "${number} = 0": "0",
    "${none} != 0": "1",
    "'1' = '1.0'": "0",
    "1 = '1.0'": "1",
    "'b' > 'a'": "0",
    "'10' > '9'": "1",
    "0.1 + 0.2 = 0.3": "1",
    "1 = 1 + 0.0000000000001": "1",
    "'1,5' + 1": "2.5",
    "'1e3' + 1": "",
    "1 div 3": "0.3333333333333333",
    "1 div 0": "Infinity",
    "0 div 0": "",
    "10 mod -3": "1",
    "-10 mod 3": "-1",
    "round(-2.5)": "-2",
    "round(2.345, 2)": "2.35",
    "int(-2.7)": "-2",
    "0.00001": "1.0E-5",
    "12345678901234567890": "1.2345678901234567E19",
    "1000000 * 1000000": "1000000000000",
    "concat(1.0, 2.50)": "12.5",
    "sum(${none})": "0",
    "max(${none})": "",
    # Truth.
    "true()": "1",
    "1 = 1": "1",
    "if('false', 1, 2)": "1",
    "boolean-from-string('yes')": "0",
    "boolean-from-string('TRUE')": "1",
    "string(true())": "true",
    "boolean('0')": "1",
    "${none} = unquoted": "1",
    # Texts.
    "substr('abcd', 1, 2)": "b",
    "substr('abcd', -2)": "cd",
    "number('+5')": "",
    "number('5.')": "5",
    "12345678.9": "1.23456789E7",
    "round(-0.4)": "0",
    "min(1, 'x')": "1",
    "string-length('😀é')": "3",
    "contains('', '')": "1",
    "selected('a b', '')": "0",
    "selected-at('a b c', 1)": "b",
    "selected-at('a b c', 9)": "",
    "count-selected(' a  b ')": "2",
    "regex('ab', 'a')": "0",
    "regex('ab', '(?=a).*')": "1",
    "normalize-space('  a  b ')": "a b",
    "coalesce('', 'x')": "x",
    # Days.
    "today()": "2026-11-20T00:00:00.000Z",
    "now()": "2026-11-20T10:11:12.345Z",
    "date('2026-11-20') + 1": "20778",
    "today() - date('2026-11-01')": "19",
    "now() > today()": "0",
    "string(date('2026-11-20'))": "2026-11-20",
    "decimal-date-time('2026-11-20T12:00:00.000Z')": "20777.5",
    "format-date('2026-11-20', '%e %b %Y')": "20 Nov 2026",
    "today() > '2026-11-19'": "0",
    "today() > date('2026-11-19')": "1",
    "today() = '2026-11-20'": "1",
}


def test_an_expression_gives_what_java_writes(ask: Ask) -> None:
    rows = "".join(f"| | calculate | e{number} | | {text} |\n" for number, text in enumerate(_EXPRESSIONS))
    (told,) = ask(
        "| survey |\n| | type | name | label | calculation |\n| | text | none | Q | |\n| | integer | number | Q | |\n"
        + rows,
        {},
    )
    assert told.error == ""
    assert {text: told.nodes[f"e{n}"].value for n, text in enumerate(_EXPRESSIONS)} == _EXPRESSIONS


@pytest.mark.parametrize(
    ("kind", "sent", "held"),
    [
        ("text", "  x  ", "x"),
        ("integer", "007", "7"),
        ("integer", "+3", "3"),
        ("integer", "12.6", ""),
        ("integer", "2147483648", ""),
        ("decimal", "5.", "5.0"),
        ("decimal", "1e3", "1000.0"),
        ("decimal", "1,5", ""),
        ("date", "2026-02-30", ""),
        ("date", "2026-11-20T10:00:00.000Z", ""),
        ("dateTime", "2026-11-20T10:00:00.000+05:45", "2026-11-20T04:15:00.000Z"),
        ("geopoint", "1 2", "1.0 2.0 0.0 0.0"),
        ("select_one yn", "nowhere", "nowhere"),
        ("select_multiple yn", "no  yes nowhere yes", "no yes nowhere yes"),
    ],
)
def test_an_answer_is_read_by_its_type_and_a_wrong_one_is_gone(ask: Ask, kind: str, sent: str, held: str) -> None:
    rows = f"""
    | survey |
    | | type | name | label |
    | | {kind} | q | Q |
    | choices |
    | | list_name | name | label |
    | | yn | yes | Yes |
    | | yn | no | No |
    """
    (told,) = ask(rows, {"q": sent})
    assert told.nodes["q"].value == held


_RELEVANCE = """
| survey |
| | type | name | label | relevant | calculation | constraint | required |
| | integer | n | N | | | | |
| | begin_group | g | G | ${n} > 1 | | | |
| | text | q | Q | | | . != '' | yes |
| | calculate | fixed | | | 'set' | | |
| | calculate | same | | | ${q} | | |
| | end_group | | | | | | |
| | calculate | reads | | | concat('[', ${fixed}, ${q}, ']') | | |
"""


def test_a_node_that_is_not_relevant_keeps_its_value_and_reads_as_empty(ask: Ask) -> None:
    shown, hidden = ask(_RELEVANCE, {"n": "2", "g/q": "a"}, {"n": "1", "g/q": "a"})
    assert shown.nodes["reads"].value == "[seta]"
    assert hidden.nodes["reads"].value == "[]"
    assert (hidden.nodes["g/q"].relevant, hidden.nodes["g/q"].value) == (False, "a")
    assert (hidden.nodes["g/fixed"].value, hidden.nodes["g/same"].value) == ("set", "")


def test_finishing_asks_what_is_relevant_only(ask: Ask) -> None:
    hidden, blank = ask(_RELEVANCE, {"n": "1"}, {"n": "2"})
    assert hidden.nodes["g/q"].required
    assert hidden.outcome is not None and hidden.outcome.status == "accepted"
    assert blank.outcome is not None and (blank.outcome.status, blank.outcome.path) == ("required", "g/q")


_ROWS = """
| survey |
| | type | name | label | relevant | calculation | repeat_count |
| | integer | n | N | | | |
| | begin_repeat | r | R | | | ${n} |
| | integer | x | X | | | |
| | text | y | Y | ${x} > 1 | | |
| | calculate | p | | | position(..) | |
| | calculate | before | | | indexed-repeat(${x}, ${r}, position(..) - 1) | |
| | begin_repeat | k | K | ${x} > 0 | | |
| | integer | z | Z | | | |
| | calculate | outer | | | position(../..) | |
| | calculate | times | | | ${x} * ${z} | |
| | end_repeat | | | | | |
| | calculate | own | | | sum(${z}) | |
| | end_repeat | | | | | |
| | calculate | all | | | sum(${z}) | |
| | calculate | rows | | | count(${r}) | |
| | calculate | shown | | | count(${y}) | |
| | calculate | said | | | count-non-empty(${y}) | |
| | calculate | far | | | indexed-repeat(${x}, ${r}, 9) | |
| | calculate | deep | | | indexed-repeat(${z}, ${r}, 2, ${k}, 1) | |
"""


def test_rows_see_their_own_row_and_the_form_sees_all(ask: Ask) -> None:
    first = {"r/x": "1", "r/y": "hidden", "r/k": [{"r/k/z": "5"}, {"r/k/z": "6"}]}
    second = {"r/x": "2", "r/k": [{"r/k/z": "7"}]}
    third = {"r/x": "0", "r/k": [{"r/k/z": "100"}]}
    (told,) = ask(_ROWS, {"n": "2", "r": [first, second, third]})
    values = {place: node.value for place, node in told.nodes.items()}
    assert [values[f"r[{row}]/p"] for row in (1, 2, 3)] == ["1", "2", "3"]
    assert [values[f"r[{row}]/before"] for row in (1, 2, 3)] == ["1", "1", "2"], "row 0 is row 1"
    assert [values[f"r[{row}]/own"] for row in (1, 2, 3)] == ["11", "7", "0"]
    assert (values["r[2]/k[1]/outer"], values["r[2]/k[1]/times"]) == ("2", "14")
    assert {name: values[name] for name in ("all", "rows", "shown", "said", "far", "deep")} == {
        "all": "18",
        "rows": "3",
        "shown": "1",
        "said": "0",
        "far": "",
        "deep": "7",
    }


def test_rows_beyond_the_count_stay_and_rows_up_to_it_are_made_on_finishing(ask: Ask) -> None:
    more, fewer, none = ask(_ROWS, {"n": "1", "r": [{}, {}]}, {"n": "2", "r": [{}]}, {"r": [{}]})
    assert [(one.counts[0].rows, one.counts[0].count) for one in (more, fewer, none)] == [(2, 1), (1, 2), (1, None)]
    assert "r[2]/x" in more.after
    assert "r[2]/x" not in fewer.nodes
    assert "r[2]/x" in fewer.after


_FILTER = """
| survey |
| | type | name | label | calculation | required | choice_filter |
| | select_one yn | so | S | | | |
| | select_one city | c | C | | yes | country=${so} |
| | select_multiple city | m | M | | yes | country=${so} |
| | begin_repeat | r | R | | | |
| | select_one yn | in | S | | | |
| | select_one city | rc | C | | | country=${in} |
| | end_repeat | | | | | |
| choices |
| | list_name | name | label | country |
| | yn | yes | Yes | |
| | yn | no | No | |
| | city | a | A label | yes |
| | city | b | B label | no |
"""


def test_a_choice_outside_its_filter_is_no_answer_on_finishing(ask: Ask) -> None:
    right, wrong = ask(_FILTER, {"so": "yes", "c": "a", "m": "a"}, {"so": "no", "c": "a", "m": "a b"})
    assert right.outcome is not None and right.outcome.status == "accepted"
    assert wrong.nodes["c"].chosen == {"a": False}
    assert wrong.nodes["m"].chosen == {"a": False, "b": True}
    assert wrong.outcome is not None and (wrong.outcome.status, wrong.outcome.path) == ("required", "c")
    assert (wrong.after["c"], wrong.after["m"]) == ("", "a b")


def test_a_select_multiple_that_loses_every_choice_passes_as_answered(ask: Ask) -> None:
    (told,) = ask(_FILTER, {"so": "no", "c": "b", "m": "a"})
    assert told.nodes["m"].required
    assert told.outcome is not None and told.outcome.status == "accepted"
    assert told.after["m"] == ""


def test_the_filter_of_a_row_reads_its_own_row(ask: Ask) -> None:
    (told,) = ask(_FILTER, {"r": [{"r/in": "yes", "r/rc": "b"}, {"r/in": "no", "r/rc": "b"}]})
    assert [told.nodes[f"r[{row}]/rc"].chosen for row in (1, 2)] == [{"b": False}, {"b": True}]


def test_the_name_of_a_choice_takes_the_answer_away_when_it_is_not_offered(ask: Ask) -> None:
    named = "| | calculate | named | | jr:choice-name(${c}, '${c}') | | |"
    rows = _FILTER.replace("| choices |", f"{named}\n| choices |")
    right, wrong = ask(rows, {"so": "yes", "c": "a"}, {"so": "no", "c": "a"})
    assert (right.nodes["named"].value, right.nodes["c"].value) == ("A label", "a")
    assert (wrong.nodes["named"].value, wrong.nodes["c"].value) == ("", "")


def test_pulldata_finds_the_first_row_by_text(ask: Ask) -> None:
    rows = """
    | survey |
    | | type | name | label | calculation |
    | | text | t | T | |
    | | calculate | pulled | | pulldata('places', 'people', 'name', ${t}) |
    | | calculate | listed | | count(instance('places')/root/item[name=${t}]) |
    """
    places = 'name,people\na,10\n"b, c",20\na,30\n'
    found, other, none = ask(rows, {"t": "a"}, {"t": "b, c"}, {"t": "A"}, files={"places.csv": places})
    assert [one.nodes["pulled"].value for one in (found, other, none)] == ["10", "20", ""]
    assert [one.nodes["listed"].value for one in (found, other, none)] == ["2", "1", "0"]


def test_once_keeps_what_is_stored(ask: Ask) -> None:
    rows = """
    | survey |
    | | type | name | label | calculation |
    | | text | t | T | |
    | | calculate | o | | once(concat('new ', ${t})) |
    """
    fresh, kept = ask(rows, {"t": "a"}, {"t": "a", "o": "old"})
    assert (fresh.nodes["o"].value, kept.nodes["o"].value) == ("new a", "old")


def test_the_answers_that_javarosa_holds_are_read_back(ask: Ask, tmp_path: Path) -> None:
    answers = {"n": "2", "r": [{"r/x": "2", "r/k": [{"r/k/z": "5"}, {}]}, {}]}
    (told,) = ask(_ROWS, answers)
    held = answers_of(build_form(tmp_path / "asked.md").form, told)
    calculated = {"all", "rows", "shown", "said", "far", "deep", "r_count"}
    assert json.loads(json.dumps({key: value for key, value in held.items() if key not in calculated})) == {
        "n": "2",
        "r": [
            {
                "r/x": "2",
                "r/p": "1",
                "r/before": "2",
                "r/own": "5",
                "r/k": [
                    {"r/k/z": "5", "r/k/outer": "1", "r/k/times": "10"},
                    {"r/k/outer": "1"},
                ],
            },
            {"r/p": "2", "r/before": "2", "r/own": "0"},
        ],
    }
