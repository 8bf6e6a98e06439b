"""Our judges of a form's logic against JavaRosa: every expression, on submissions that reach deep, no difference.

`DIALOGKIT_ORACLE_ROUNDS` says how many submissions a form gets (200 for the full comparison).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from dialogkit.errors import FormError
from dialogkit.forms.build import build_form
from dialogkit.model.form import BuiltForm
from dialogkit.model.submission import Answers
from tests.oracle.by_python import by_python
from tests.oracle.by_sql import judge_sql
from tests.oracle.conftest import build
from tests.oracle.differential import Case, Compared, Judge, Undecided, Verdict, compare
from tests.oracle.explore import explore
from tests.oracle.harness import Oracle, Told
from tests.oracle.instances import instance_of

FORMS = sorted((Path(__file__).parents[2] / "forms").glob("*.xlsx"))
CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "forms"
#: By name: what is compared with JavaRosa.
JUDGES: Mapping[str, Judge] = {"python": by_python, "sql": judge_sql}
#: SQL stages a batch for every form, and JavaRosa only proves the comparison: without ROUNDS they take one form of the
#: corpus in so many.
STRIDE: Mapping[str, int] = {} if "DIALOGKIT_ORACLE_ROUNDS" in os.environ else {"sql": 8, "javarosa": 8}
ROUNDS = int(os.environ.get("DIALOGKIT_ORACLE_ROUNDS", "0"))


@cache
def case_of(oracle: Oracle, path: Path, number: int) -> Case | None:
    """What JavaRosa says of a form's random submissions; None where the form cannot be built."""
    try:
        built = build_form(path)
    except FormError:
        return None
    return Case(path.name, built, explore(oracle, built, number, seed=1))


def javarosa_again(oracle: Oracle) -> Judge:
    """JavaRosa itself as the judge under test: what it holds, written and read again, must be judged the same."""

    def judge(built: BuiltForm, answers: Sequence[Answers], now: str) -> Sequence[Mapping[str, Verdict]]:
        told = oracle.judge(built, [instance_of(built, one) for one in answers], now)
        return [_verdicts(one) for one in told.submissions]

    return judge


def _verdicts(told: Told) -> dict[str, Verdict]:
    found: dict[str, Verdict] = {}
    for place, node in told.nodes.items():
        offered = all(node.chosen.values()) if isinstance(node.chosen, dict) else None
        value = Undecided("another each time") if place in told.unsettled else node.value
        constraint = node.constraint if isinstance(node.constraint, bool) else None
        found[place] = Verdict(node.relevant, node.required, constraint, value, offered)
    return found | {one.path: Verdict(count=one.count) for one in told.counts if isinstance(one.count, int)}


def judge_of(name: str, oracle: Oracle) -> Judge:
    """The judge under test: ours, or JavaRosa itself on what it held, to prove the comparison."""
    return javarosa_again(oracle) if name == "javarosa" else JUDGES[name]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
@pytest.mark.parametrize("name", ["javarosa", *JUDGES])
def test_the_seven_forms_are_judged_as_javarosa_judges_them(oracle: Oracle, name: str, path: Path) -> None:
    case = case_of(oracle, path, ROUNDS or 16)
    assert case is not None
    account = Compared()
    compare(judge_of(name, oracle), case, account)
    print(account.summary())
    assert not account.differences, account.summary()
    assert not account.unread
    assert account.compared.total() > 200


_SMALL = """
| survey |
| | type | name | label | relevant | calculation | constraint | required | choice_filter | repeat_count |
| | integer | n | N | | | . < 5 | yes | | |
| | begin_repeat | r | R | | | | | | ${n} |
| | select_one ab | x | X | ${n} > 1 | | | | name != 'b' | |
| | calculate | c | | | ${n} + 1 | | | | |
| | end_repeat | | | | | | | | |
| choices |
| | list_name | name | label |
| | ab | a | A |
| | ab | b | B |
"""
_ANSWERS: Answers = {"n": "2", "r": [{"r/x": "b"}, {}]}


def small(oracle: Oracle, folder: Path, *answers: Answers) -> Case:
    built = build(folder, _SMALL, {})
    return Case("small", built, oracle.judge(built, [instance_of(built, one) for one in answers]))


def test_every_expression_is_compared_where_it_counts(oracle: Oracle, tmp_path: Path) -> None:
    account = Compared()
    compare(javarosa_again(oracle), small(oracle, tmp_path, _ANSWERS, {}), account)
    assert account.differences == []
    assert account.compared == {
        "relevant": 8,  # n; r, x and c of two rows; n of the empty one
        "required": 2,
        "constraint": 1,
        "calculation": 2,
        "filter": 1,
        "count": 2,  # without a number: none
    }
    assert set(account.expressions) == {
        ("small", "n", "constraint"),
        ("small", "n", "required"),
        ("small", "r", "count"),
        ("small", "r/x", "relevant"),
        ("small", "r/x", "filter"),
        ("small", "r/c", "calculation"),
    }
    assert account.unreached == set()


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("relevant", Verdict(relevant=False)),
        ("required", Verdict(required=False)),
        ("constraint", Verdict(constraint=False)),
        ("calculation", Verdict(calculation="4")),
        ("filter", Verdict(filter=True)),
        ("count", Verdict(count=3)),
    ],
)
def test_a_judge_that_errs_is_found_out_by_place_and_expression(
    oracle: Oracle, tmp_path: Path, kind: str, wrong: Verdict
) -> None:
    right = javarosa_again(oracle)

    def errs(built: BuiltForm, answers: Sequence[Answers], now: str) -> Sequence[Mapping[str, Verdict]]:
        said = getattr(wrong, kind)
        return [
            {place: replace(one, **{kind: said}) for place, one in all_.items()} for all_ in right(built, answers, now)
        ]

    account = Compared()
    compare(errs, small(oracle, tmp_path, _ANSWERS), account)
    assert {(one.form, one.kind) for one in account.differences} == {("small", kind)}
    assert kind == "relevant" or all(one.expression for one in account.differences)


def test_what_a_judge_does_not_decide_is_counted_by_reason(oracle: Oracle, tmp_path: Path) -> None:
    right = javarosa_again(oracle)

    def unsure(built: BuiltForm, answers: Sequence[Answers], now: str) -> Sequence[Mapping[str, Verdict]]:
        never = Undecided("never")
        return [
            {place: replace(one, filter=never) for place, one in all_.items()} for all_ in right(built, answers, now)
        ]

    account = Compared()
    compare(unsure, small(oracle, tmp_path, _ANSWERS), account)
    assert account.undecided == {"filter: never": 1}
    assert account.share == 5 / 6


def test_a_node_that_a_judge_leaves_out_is_not_passed_over(oracle: Oracle, tmp_path: Path) -> None:
    account = Compared()
    compare(lambda built, answers, now: [{} for _ in answers], small(oracle, tmp_path, _ANSWERS), account)
    assert account.undecided == {"relevant: the judge does not name this node": 7}
    assert {one.kind for one in account.differences} == {"required", "constraint", "calculation", "filter", "count"}


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real forms is not beside this checkout")
@pytest.mark.parametrize("name", ["javarosa", *JUDGES])
def test_the_forms_of_the_corpus_are_judged_as_javarosa_judges_them(oracle: Oracle, name: str) -> None:
    account = Compared()
    loaded = 0
    paths = sorted(CORPUS.iterdir())[:: STRIDE.get(name, 1)]
    for path in paths:
        if case := case_of(oracle, path, ROUNDS or 3):
            loaded += not case.told.error
            compare(judge_of(name, oracle), case, account)
    print(account.summary())
    assert not account.differences, account.summary()
    assert loaded >= 0.8 * len(paths)
