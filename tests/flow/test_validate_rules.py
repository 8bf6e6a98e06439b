"""The rules of a form over staged submissions, with Great Expectations as the gate."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from dialogkit.errors import RulesNotMet
from dialogkit.forms.build import build_form
from dialogkit.model.form import Form
from dialogkit.model.report import Report
from dialogkit.model.staged import Staged
from dialogkit.model.submission import Answers, Origin
from dialogkit.validate.check import check
from dialogkit.validate.decide import decide
from dialogkit.validate.rule import Rule
from dialogkit.validate.rules import rules_of
from tests.builders import make_form, received, stage_batch, write_batch

TODAY = date(2026, 11, 21)
FORM = """
| survey   |                      |             |                    |          |                                   |
|          | type                 | name        | label              | required | relevant                          |
|          | hidden               | source_ref  |                    |          |                                   |
|          | select_one yn        | more        | More?              | yes      |                                   |
|          | begin group          | g           | G                  |          | ${more} = 'yes'                   |
|          | integer              | n           | How many           | yes      |                                   |
|          | select_one c or_other | one        | One                |          |                                   |
|          | select_multiple c    | many        | Many               |          |                                   |
|          | text                 | why         | Why                | ${source_ref} = '' | ${n} > 3                |
|          | text                 | chance      | Chance             | random() > 0.5 |                             |
|          | select_one yn        | has_rows    | Any barriers?      |          |                                   |
|          | begin repeat         | row         | Barriers           |          | ${has_rows} = 'yes'               |
|          | select_one c         | kind        | Kind               | yes      |                                   |
|          | text                 | detail      | Detail             | yes      | ${kind} = 'b' and ${n} > 3        |
|          | end repeat           |             |                    |          |                                   |
|          | end group            |             |                    |          |                                   |
| choices  |                      |             |                    |          |                                   |
|          | list_name            | name        | label              |          |                                   |
|          | yn                   | yes         | Yes                |          |                                   |
|          | yn                   | no          | No                 |          |                                   |
|          | c                    | a           | A                  |          |                                   |
|          | c                    | b           | B                  |          |                                   |
| settings |                      |             |                    |          |                                   |
|          | form_id              | version     | form_title         |          |                                   |
|          | f                    | 1           | F                  |          |                                   |
"""
CLEAN: Answers = {
    "more": "yes",
    "g/n": "5",
    "g/one": "other",
    "g/many": "a b",
    "g/why": "so",
    "g/has_rows": "yes",
    "g/row": [{"g/row/kind": "b", "g/row/detail": "d"}, {"g/row/kind": "a"}],
}


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    path = tmp_path_factory.mktemp("form") / "f.md"
    path.write_text(FORM, encoding="utf-8")
    return build_form(path).form


@dataclass
class Checked:
    """A batch that was checked: its report and what broke which rule."""

    db: duckdb.DuckDBPyConnection
    staged: Staged
    report: Report

    @property
    def broken(self) -> list[tuple[str, str, str]]:
        """Submission, row and rule of each violation."""
        return self.db.execute("SELECT submission_id, row, rule FROM stage_violations ORDER BY ALL").fetchall()

    @property
    def counted(self) -> dict[str, int]:
        """Rules that were broken, as the report counts them."""
        return {result.code: result.violations for result in self.report.results if result.violations}


Check = Callable[..., Checked]


@pytest.fixture
def run(db: duckdb.DuckDBPyConnection, form: Form, tmp_path: Path) -> Check:
    def checked(*answers: Answers, forms: Sequence[Form] = (), version: str = "", origin: Origin = "server") -> Checked:
        some = [
            received(form, one, f"uuid:{number}", version=version or form.version, origin=origin)
            for number, one in enumerate(answers, 1)
        ]
        batch = write_batch(tmp_path / "batches", form, some, origin=origin)
        staged = stage_batch(db, batch, *(forms or [form]))
        return Checked(db, staged, check(db, staged, rules_of(staged), today=TODAY))

    return checked


def without(*paths: str, **changed: str) -> dict[str, object]:
    """The clean answers without some, and with others: `g__n="6"`."""
    kept = {path: value for path, value in CLEAN.items() if path not in paths}
    return {**kept, **{path.replace("__", "/"): value for path, value in changed.items()}}


#: Rows that rest on no other answer.
ROWS: Answers = {"g/row": [{"g/row/kind": "a"}]}


def test_a_clean_submission_breaks_no_rule_and_every_rule_is_evaluated_or_says_why(run: Check) -> None:
    checked = run(CLEAN)
    assert checked.broken == []
    assert checked.report.not_evaluated == ()
    (told,) = [result for result in checked.report.results if result.undecided]
    assert (told.code, told.state, checked.report.undecided) == ("FORM-REQUIRED:g/chance", "not decidable", 1)
    assert "random()" in told.undecided
    assert "random()" in told.fix


@pytest.mark.parametrize(
    ("answers", "row", "rule"),
    [
        (without("g/why", g__n="many") | ROWS, "", "FORM-TYPE:g/n"),
        (without(g__one="c"), "", "FORM-CHOICE:g/one"),
        (without(g__many="a c"), "", "FORM-CHOICE:g/many"),
        ({}, "", "FORM-REQUIRED:more"),
        (without("g/why", "g/n") | ROWS, "", "FORM-REQUIRED:g/n"),
        (without("g/why"), "", "FORM-REQUIRED:g/why"),
        (without("g/row"), "", "FORM-ROWS:g/row"),
        (without() | {"g/row": [{"g/row/kind": "a"}, {}]}, "2", "FORM-REQUIRED:g/row/kind"),
        (without() | {"g/row": [{"g/row/kind": "b"}]}, "1", "FORM-REQUIRED:g/row/detail"),
        (without() | {"g/row": [{"g/row/kind": "c"}]}, "1", "FORM-CHOICE:g/row/kind"),
        (without(g__unknown="x"), "", "FORM-DRIFT"),
    ],
)
def test_each_kind_of_rule_finds_the_row_that_breaks_it_and_no_other(
    run: Check, answers: Answers, row: str, rule: str
) -> None:
    checked = run(CLEAN, answers, CLEAN)
    assert checked.broken == [("uuid:2", row, rule)]
    assert checked.counted == {rule: 1}


SEALED: Answers = {"base64EncryptedKey": "a key", "encryptedXmlFile": "submission.xml.enc"}


@pytest.mark.parametrize("told", ["no key", "wrong key", "damaged", "", "something else"])
def test_sealed_answers_wait_and_say_why(db: duckdb.DuckDBPyConnection, form: Form, tmp_path: Path, told: str) -> None:
    some = [received(form, CLEAN, "uuid:1"), received(form, SEALED, "uuid:2", sealed=told)]
    batch = write_batch(tmp_path / "batches", form, some)
    staged = stage_batch(db, batch, form)
    checked = Checked(db, staged, check(db, staged, rules_of(staged), today=TODAY))
    reason = told if told in ("no key", "wrong key", "damaged") else "no key"
    assert [one for one in checked.broken if "SEALED" in one[2]] == [("uuid:2", "", f"FORM-SEALED:{reason}")]
    (result,) = [result for result in checked.report.results if result.code == f"FORM-SEALED:{reason}"]
    assert set(result.message) == {"en", "fr", "es"}
    assert len({*result.message.values(), result.fix}) == 4


def test_a_row_without_any_answer_that_is_said_to_be_sealed_waits_too(
    db: duckdb.DuckDBPyConnection, form: Form, tmp_path: Path
) -> None:
    batch = write_batch(tmp_path / "batches", form, [received(form, {}, "uuid:1", sealed="no key")])
    staged = stage_batch(db, batch, form)
    checked = Checked(db, staged, check(db, staged, rules_of(staged), today=TODAY))
    assert ("uuid:1", "", "FORM-SEALED:no key") in checked.broken


@pytest.mark.parametrize(
    "answers",
    [
        {"more": "no"},  # the group with its required questions is not relevant
        without("g/why", g__n="3") | ROWS,
        without("g/row", g__has_rows="no"),
        without("g/row", "g/has_rows"),
        without("g/one", "g/many"),
    ],
)
def test_what_is_not_relevant_or_not_required_may_be_blank(run: Check, answers: Answers) -> None:
    assert run(answers).broken == []


def test_a_blank_of_an_import_is_not_stated_and_a_yes_without_a_row_is_only_noted(run: Check) -> None:
    checked = run({"source_ref": "a page", "g/has_rows": "yes", "more": "yes"}, origin="import")
    assert checked.broken == [("uuid:1", "", "FORM-ROWS:g/row")]
    decide(checked.db, checked.staged, checked.report, "stop")
    assert checked.db.execute("SELECT * FROM stage_decision").fetchall() == [("uuid:1", "accepted", "")]


def test_a_version_that_is_not_in_the_workspace_is_held_and_not_judged_by_another(run: Check) -> None:
    assert run({"more": "maybe"}, version="0").broken == [("uuid:1", "", "FORM-VERSION")]


def test_each_submission_is_judged_by_its_own_version(run: Check, form: Form) -> None:
    fewer = tuple(question for question in form.questions if question.name not in ("why", "one"))
    older = replace(form, version="0", questions=fewer)
    stricter = tuple(replace(question, required="yes") for question in form.questions)
    newer = replace(form, version="2", questions=stricter)
    assert run(without("g/why"), forms=[older, form, newer], version="0").broken == []
    assert run(without("g/why"), forms=[older, form, newer]).counted == {"FORM-REQUIRED:g/why": 1}
    assert run(without("g/many"), forms=[older, form, newer]).broken == []
    assert "FORM-REQUIRED:g/many" in run(without("g/many"), forms=[form, newer], version="2").counted


def test_a_question_that_changed_its_type_is_read_in_the_column_of_its_version(run: Check, form: Form) -> None:
    def retyped(kind: str, **facts: str) -> tuple[object, ...]:
        return tuple(replace(q, type=kind, **facts) if q.name == "many" else q for q in form.questions)

    newer = replace(form, version="2", questions=retyped("text", list_name="", required="yes"))
    checked = run(without(g__many="a c"), forms=[form, newer])
    assert checked.counted == {"FORM-CHOICE:g/many": 1}
    assert run(without(g__many="anything"), forms=[form, newer], version="2").broken == []


def test_a_path_in_a_group_of_one_version_and_in_a_repeat_of_another_is_judged_in_both(run: Check, form: Form) -> None:
    sections = tuple(replace(s, kind="group", relevant="") if s.kind == "repeat" else s for s in form.sections)
    older = replace(form, version="0", sections=sections)
    both = [older, form]
    in_group = without("g/row") | {"g/row/kind": "c"}
    assert ("uuid:1", "", "FORM-CHOICE:g/row/kind") in run(in_group, forms=both, version="0").broken
    in_repeat = without() | {"g/row": [{"g/row/kind": "c"}]}
    assert run(in_repeat, forms=both).broken == [("uuid:1", "1", "FORM-CHOICE:g/row/kind")]


def test_messages_speak_three_languages_with_the_label_and_never_an_answer(run: Check) -> None:
    checked = run(without(g__n="secret words"))
    result = next(result for result in checked.report.results if result.violations)
    assert set(result.message) == {"en", "fr", "es"}
    assert all("How many" in text for text in result.message.values())
    assert "secret" not in repr(checked.report)


def test_the_decision_names_every_rule_that_holds(run: Check) -> None:
    checked = run(CLEAN, without("g/n", "g/why", g__one="c", g__unknown="x") | ROWS, without(g__unknown="x"))
    decide(checked.db, checked.staged, checked.report, "hold")
    assert checked.db.execute("SELECT * FROM stage_decision ORDER BY submission_id").fetchall() == [
        ("uuid:1", "accepted", ""),
        ("uuid:2", "held", "FORM-CHOICE:g/one, FORM-REQUIRED:g/n"),
        ("uuid:3", "accepted", ""),
    ]


def test_stop_lists_what_is_wrong_without_an_answer(run: Check) -> None:
    checked = run(*[without(g__one="secret")] * 30)
    with pytest.raises(RulesNotMet) as caught:
        decide(checked.db, checked.staged, checked.report, "stop")
    error = caught.value
    assert (error.code, error.exit_code, len(error.problems)) == ("RULES-001", 8, 20)
    assert error.problems[0].code == "FORM-CHOICE"
    assert error.problems[0].where == "f, submission uuid:1, g/one"
    assert "secret" not in f"{error}{error.problems}"


def test_a_rule_that_fails_while_it_runs_is_not_evaluated_and_leaves_the_others_alone(run: Check) -> None:
    checked = run(without(g__one="c", g__why="secret"))
    rules = list(rules_of(checked.staged))
    bad = "SELECT m._submission_id, '' FROM stage_t0 m WHERE CAST(m.why AS INTEGER) > 1"
    rules.insert(0, Rule("BAD", "hold", "g/why", "f", {"en": "Bad."}, query=bad))
    report = check(checked.db, checked.staged, rules, today=TODAY)
    assert {result.code for result in report.not_evaluated} == {"BAD"}
    assert [result.code for result in report.results if result.violations] == ["FORM-CHOICE:g/one"]
    assert "secret" not in repr(report)


def test_nothing_is_left_behind_but_the_violations(run: Check) -> None:
    checked = run(CLEAN)
    views = checked.db.execute(
        "SELECT view_name FROM duckdb_views() WHERE temporary AND NOT internal AND starts_with(view_name, 'check_')"
    ).fetchall()
    assert views == []
    assert checked.db.execute("SELECT getvariable('dialogkit_today')").fetchone() == (None,)


_ALONE = """
import sys
from datetime import date
import duckdb
from dialogkit.model.form import Form, Question
from dialogkit.model.staged import Staged
from dialogkit.normalize.schema import tables_of
from dialogkit.validate.check import check
from dialogkit.validate.rules import rules_of
form = Form("f", "1", "F", (), "", (Question("n", "n", "integer", required="yes"),), (), {})
(table,) = tables_of([form])
db = duckdb.connect()
db.execute("CREATE TEMP TABLE t AS SELECT 'a' AS _submission_id, '1' AS _form_version, NULL::BIGINT AS n")
db.execute("CREATE TEMP TABLE stage_submissions AS SELECT 'a' AS submission_id, '1' AS form_version, 'new' AS state")
db.execute("CREATE TEMP TABLE stage_issues AS SELECT '' AS submission_id, '' AS row, '' AS path LIMIT 0")
db.execute("CREATE TEMP TABLE stage_drift AS SELECT '' AS submission_id, '' AS row LIMIT 0")
staged = Staged("f", "b", "server", {"1": form}, (table,), {table.name: "t"})
report = check(db, staged, rules_of(staged), today=date(2026, 11, 21))
sys.exit(0 if [r.code for r in report.results if r.violations] == ["FORM-REQUIRED:n"] else 1)
"""


def test_a_process_that_checked_ends_with_nothing_printed() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", _ALONE], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_words_of_a_repeat_without_rows_name_the_question_that_opens_it(run: Check) -> None:
    (rule,) = [rule for rule in rules_of(run(CLEAN).staged) if rule.code == "FORM-ROWS:g/row"]
    assert rule.messages["en"] == "“Any barriers?” was answered with yes, and nothing was added."


@pytest.mark.parametrize(("clock", "action"), [([], "note"), ([("end", "end")], "hold")])
def test_what_rests_on_a_day_that_the_phone_did_not_tell_is_noted(
    db: duckdb.DuckDBPyConnection, tmp_path: Path, clock: list[tuple[str, str]], action: str
) -> None:
    form = make_form("f", "1", [*clock, ("date", "day", {"constraint": ". >= today()"}), ("integer", "n")])
    batch = write_batch(tmp_path / "batches", form, [received(form, {"day": "2026-11-01"}, "uuid:1")])
    staged = stage_batch(db, batch, form)
    (rule,) = [rule for rule in rules_of(staged) if rule.code == "FORM-CONSTRAINT:day"]
    assert rule.action == action
    assert [row for (row,) in db.execute(f"SELECT count(*) FROM ({rule.query})").fetchall()] == [1]
