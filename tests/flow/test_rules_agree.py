"""The rules of a form against an independent judge: the same rows break the same rules, whatever was sent.

`DIALOGKIT_RULES_ROUNDS` says how many submissions of each sort a form gets; with it all of the seven forms are sent.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import duckdb
import pytest

from dialogkit.forms.build import build_form
from dialogkit.forms.simulating.breaking import Breaker
from dialogkit.forms.simulating.kinds import KINDS
from dialogkit.model.form import BuiltForm
from dialogkit.model.staged import Staged
from dialogkit.model.submission import Answers, Origin
from dialogkit.steps.simulate import simulator_of
from dialogkit.validate.check import check
from dialogkit.validate.rules import rules_of
from tests.flow.ruled_forms import CHAIN, DAYS, GATES, IMPORTED, PYTHON, ROWS, made
from tests.flow.rules_judge import TODAY, Agreement, Broken, Sent, agreement, staged_of
from tests.oracle.randomly import Randomly

FORMS: Final = sorted((Path(__file__).parents[2] / "forms").glob("*.xlsx"))
ROUNDS: Final = int(os.environ.get("DIALOGKIT_RULES_ROUNDS", "0"))
#: Without ROUNDS: the form with the most logic.
CHOSEN: Final = FORMS if ROUNDS else [path for path in FORMS if path.stem == "local_dialogue"]
#: Sent by no phone: a whole number that is too large for one.
_TOO_LARGE: Final = "2147483648"


def some(built: BuiltForm, count: int, seed: int = 1) -> Iterator[Answers]:
    """Random answers, valid ones, valid ones with a few other answers, and valid ones that were broken on purpose."""
    randomly = Randomly(built.form, seed, TODAY)
    yield from map(_fit, randomly.submissions(count))
    for one in simulator_of(built, seed, TODAY).submissions(count):
        yield one.answers
        yield _fit(randomly.mutated(one.answers))
    simulator = simulator_of(built, seed + 1, TODAY)
    kinds = [kind for kind in KINDS if kind != "duplicate"]
    for planted in Breaker(simulator, kinds).broken(simulator.submissions(count)):
        yield planted.submission.answers


def _fit(answers: Answers) -> Answers:
    """Without blanks around texts, which a phone reads while they are typed and no more when it loads them again."""
    fit = {
        path: value.strip().replace(_TOO_LARGE, "3") if isinstance(value, str) else [_fit(row) for row in value]
        for path, value in answers.items()
    }
    return {path: value for path, value in fit.items() if value != ""}


def agreed(
    db: duckdb.DuckDBPyConnection, folder: Path, *built: BuiltForm, count: int, origin: Origin = "server"
) -> Agreement:
    """Both judges on submissions of every version, which must agree on many violations."""
    sent = [(one.form.version, answers) for one in built for answers in some(one, ROUNDS or count)]
    found = agreement(db, folder / "batches", built, sent, origin)
    assert found.differences == ([], [])
    return found


def kinds_in(found: Agreement) -> set[str]:
    """The kinds of rules that were broken."""
    return {rule.split(":")[0] for _, _, rule in found.expected}


@pytest.mark.parametrize("path", CHOSEN, ids=lambda path: path.stem)
def test_the_rules_of_a_shipped_form_find_what_its_logic_says(
    db: duckdb.DuckDBPyConnection, tmp_path: Path, path: Path
) -> None:
    found = agreed(db, tmp_path, build_form(path), count=4)
    assert len(kinds_in(found)) >= 4
    assert len(found.undecided) <= 2


@pytest.mark.parametrize(
    ("rows", "kinds", "origin"),
    [(ROWS, 6, "server"), (CHAIN, 4, "server"), (CHAIN, 3, "import"), (PYTHON, 6, "server"), (DAYS, 3, "server")],
    ids=["rows", "chain", "chain of imports", "python", "days"],
)
def test_rows_chains_days_and_what_sql_cannot_say(
    db: duckdb.DuckDBPyConnection, tmp_path: Path, rows: str, kinds: int, origin: Origin
) -> None:
    found = agreed(db, tmp_path, made(tmp_path, rows), count=8, origin=origin)
    assert len(kinds_in(found)) >= kinds


def changed(rows: str, *changes: tuple[str, str]) -> str:
    """Rows of a later version."""
    for before, after in changes:
        assert before in rows
        rows = rows.replace(before, after)
    return rows


def test_each_version_is_judged_by_its_own_logic_and_an_unknown_one_by_none(
    db: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    first = made(tmp_path, CHAIN)
    look_ahead = "regex(${a}, '^(?!no).*$')"
    second = made(
        tmp_path,
        changed(CHAIN, ("${a} = 'yes' ", look_ahead), (". > 2 and", ". > 4 and"), ("zone = ${d}", "zone != ${d}")),
        "2",
    )
    third = made(tmp_path, changed(CHAIN, ("integer | e |", "text | e |")), "3")
    sent = [(one.form.version, answers) for one in (first, second, third) for answers in some(one, 4)]
    strangers = [("9", answers) for answers in some(first, 2)]
    found = agreement(db, tmp_path / "batches", [first, second, third], [*sent, *strangers])
    assert found.differences == ([], [])
    assert {int(one[0].removeprefix("uuid:")) for one in found.found} <= set(range(len(sent)))
    held = db.execute("SELECT count(*) FROM stage_violations WHERE rule = 'FORM-VERSION'").fetchone()
    assert held == (len(strangers),)


def test_a_renamed_question_is_judged_under_the_name_of_its_version(
    db: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    first = made(tmp_path, CHAIN)
    renamed = changed(CHAIN, ("select_one yn | b |", "select_one yn | bb |"), ("${b}", "${bb}"))
    second = made(tmp_path, changed(renamed, ("integer | x |", "integer | xx |"), ("${x}", "${xx}")), "2")
    sent = [(one.form.version, answers) for one in (first, second) for answers in some(one, 5)]
    found = agreement(db, tmp_path / "batches", [first, second], sent, same={"b": "bb", "r/x": "r/xx"})
    assert found.differences == ([], [])
    assert {"b", "r/x", "r/xx"} <= {rule.split(":")[1] for _, _, rule in found.expected}


HIDDEN: Answers = {"key": "no", "n": "20", "after": "x", "row": [{}, {"row/t": "x"}]}


def broken_in(db: duckdb.DuckDBPyConnection, staged: Staged, off: str = "never") -> list[Broken]:
    """What breaks the rules, when those whose code begins with `off` are turned off."""
    rules = rules_of(staged)
    on = [rule for rule in rules if not rule.code.startswith(off)]
    check(db, staged, on, today=TODAY, off=[rule for rule in rules if rule.code.startswith(off)])
    return db.execute("SELECT submission_id, row, rule FROM stage_violations ORDER BY ALL").fetchall()


def test_what_python_finds_not_relevant_reads_as_empty_in_sql_too(
    db: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    staged = staged_of(db, tmp_path / "b", [made(tmp_path, GATES)], [("1", HIDDEN)])
    assert broken_in(db, staged) == [
        ("uuid:0", "", "FORM-RELEVANT:after"),
        ("uuid:0", "", "FORM-RELEVANT:n"),
        ("uuid:0", "", "FORM-RELEVANT:row"),
    ]
    # Nobody is told of it, and yet nothing of it is read.
    assert broken_in(db, staged, off="FORM-RELEVANT:") == []


def test_mostly_counts_the_rows_that_python_looked_at(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    sent = [("1", {"key": "yes", "n": str(number)}) for number in range(20)]
    staged = staged_of(db, tmp_path / "b", [made(tmp_path, GATES)], sent)
    for mostly, action in ((0.4, "note"), (0.6, "hold")):
        rules = [
            replace(rule, mostly=mostly) if rule.code == "FORM-CONSTRAINT:n" else rule for rule in rules_of(staged)
        ]
        report = check(db, staged, rules, today=TODAY)
        (told,) = [one for one in report.results if one.code == "FORM-CONSTRAINT:n"]
        assert (told.violations, told.judged) == (10, 20)
        assert db.execute("SELECT DISTINCT action FROM stage_violations").fetchall() == [(action,)]


def test_what_python_cannot_decide_is_told_and_holds_nothing(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = GATES.replace(". < 10", "regex(., concat('^(?!no).*', ${key}))")
    sent: list[Sent] = [("1", {"key": key, "n": "5"}) for key in ("(", "6", "5")]
    staged = staged_of(db, tmp_path / "b", [made(tmp_path, rows)], sent)
    report = check(db, staged, rules_of(staged), today=TODAY)
    (told,) = [one for one in report.results if one.code == "FORM-CONSTRAINT:n"]
    assert "pattern" in told.undecided
    found = db.execute("SELECT submission_id, rule FROM stage_violations").fetchall()
    assert found == [("uuid:1", "FORM-CONSTRAINT:n")]


def test_logic_says_nothing_of_sealed_answers_by_sql_or_python(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    sealed: Answers = {"base64EncryptedKey": "a key", "encryptedXmlFile": "submission.xml.enc"}
    rows = GATES.replace("'^(?!no).*$') | . < 10", "'^(?!no).*$') or true() | . < 10")
    staged = staged_of(db, tmp_path / "b", [made(tmp_path, rows)], [("1", sealed), ("1", {})])
    assert broken_in(db, staged) == [("uuid:0", "", "FORM-SEALED:no key"), ("uuid:1", "", "FORM-REQUIRED:n")]


def test_a_file_that_is_not_here_leaves_its_rules_undecided_and_no_others(
    db: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    built = replace(made(tmp_path, CHAIN), media={})
    sent = [("1", {"a": "yes", "b": "no", "c": "yes", "d": "yes", "p": "two", "q": "x", "e": "1"})]
    staged = staged_of(db, tmp_path / "b", [built], sent)
    report = check(db, staged, rules_of(staged), today=TODAY)
    undecided = {one.code for one in report.results if one.undecided}
    assert undecided == {"FORM-CHOICE:p", "FORM-FILTER:p"}
    assert ("FORM-CONSTRAINT:e",) in db.execute("SELECT rule FROM stage_violations").fetchall()


def test_a_blank_of_an_import_breaks_no_constraint_but_a_filter_stands(
    db: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    sent = [
        ("1", {"to": "1", "last": "1", "basis": "n1"}),
        ("1", {"source_ref": "a page", "from": "5", "to": "1", "last": "1", "basis": "n1"}),
    ]
    built = made(tmp_path, IMPORTED)
    staged = staged_of(db, tmp_path / "b", [built], sent, origin="import")
    assert broken_in(db, staged) == [
        ("uuid:0", "", "FORM-FILTER:basis"),
        ("uuid:1", "", "FORM-CONSTRAINT:last"),
        ("uuid:1", "", "FORM-CONSTRAINT:to"),
    ]
