"""Judges again the submissions that answer what was not relevant: on a phone, such answers read as empty.

One answer that is not relevant can make others relevant or not, and those again. So the submissions concerned are
copied, and their answers are taken out in the order in which relevance follows from relevance; every other rule of the
form's logic is then run on the copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.logic.bind import bind
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.tree import paths_in
from dialogkit.model.form import Form, Question, Section
from dialogkit.model.staged import Staged
from dialogkit.model.table import Table
from dialogkit.validate.by_version import Versions
from dialogkit.validate.form_logic import logic_rules
from dialogkit.validate.rule import Rule
from dialogkit.validate.violations import VIOLATIONS

_COPY: Final = "stage_masked_"
_RELEVANT: Final = "FORM-RELEVANT:"

#: Runs rules into the violation table; gives the codes of those that failed.
Insert = Callable[[Sequence[Rule]], "set[str]"]


def judge_again(db: duckdb.DuckDBPyConnection, staged: Staged, first: Sequence[Rule], insert: Insert) -> set[str]:
    """Replace what the rules of the form's logic said of the submissions that answer what was not relevant.

    Args:
        db: holds the staged tables and the violations of a first pass.
        staged: the batch.
        first: its rules: their codes, actions and words stand.
        insert: runs rules into the violation table; gives the codes of those that failed.

    Returns:
        The codes of rules that failed to run.
    """
    concerned = f"SELECT submission_id FROM {VIOLATIONS} WHERE starts_with(rule, {sql.text(_RELEVANT)})"
    if not db.execute(f"{concerned} LIMIT 1").fetchone():
        return set()
    failed: set[str] = set()
    with _copies(db, staged, concerned) as copied:
        again = Versions(copied, unmasked=staged)
        standing = {rule.code: rule for rule in first}
        rules = {
            rule.code: replace(standing[rule.code], query=rule.query)
            for rule in logic_rules(again)
            if rule.code in standing
        }
        codes = sql.texts(rules)
        db.execute(f"DELETE FROM {VIOLATIONS} WHERE rule IN ({codes}) AND submission_id IN (FROM stage_concerned)")
        for path in _in_order(staged):
            rule = rules.pop(f"{_RELEVANT}{path}", None)
            if rule and rule.query:
                failed |= insert([rule])
                found = f"SELECT submission_id, row FROM {VIOLATIONS} WHERE rule = {sql.text(rule.code)}"
                _take_out(db, copied, path, found)
        failed |= insert([rule for rule in rules.values() if rule.query])
    return failed


@contextmanager
def _copies(db: duckdb.DuckDBPyConnection, staged: Staged, concerned: str) -> Iterator[Staged]:
    """While it lasts, the rows of these submissions in tables of their own."""
    db.execute(f"CREATE OR REPLACE TEMP TABLE stage_concerned AS SELECT DISTINCT submission_id FROM ({concerned})")
    copies = {name: f"{_COPY}{number}" for number, name in enumerate(staged.relations)}
    try:
        for name, copy in copies.items():
            db.execute(
                f"CREATE OR REPLACE TEMP TABLE {copy} AS SELECT * FROM {sql.name(staged.relations[name])} "
                "WHERE _submission_id IN (FROM stage_concerned)"
            )
        yield replace(staged, relations=copies)
    finally:
        for copy in (*copies.values(), "stage_concerned"):
            db.execute(f"DROP TABLE IF EXISTS {copy}")


def _in_order(staged: Staged) -> list[str]:
    """Paths of questions and repeats, each after those that its relevance rests on, in any version."""
    graph: TopologicalSorter[str] = TopologicalSorter()
    for form in staged.forms.values():
        relevant = _read_by_relevance(form)
        for path in (*form.by_path, *sorted(form.repeats)):
            above = [section.path for section in form.sections_above(path)]
            read = frozenset().union(*(relevant.get(part, frozenset()) for part in (*above, path)))
            graph.add(path, *((read | set(above)) & (form.by_path.keys() | form.repeats) - {path}))
    try:
        return list(graph.static_order())
    except CycleError:  # one version may ask in another order than the next, and a phone refuses a true circle
        return list(dict.fromkeys(path for form in staged.forms.values() for path in (*form.repeats, *form.by_path)))


def _read_by_relevance(form: Form) -> Mapping[str, frozenset[str]]:
    """What the relevance of each question and section reads."""
    found: dict[str, frozenset[str]] = {}
    parts: tuple[Section | Question, ...] = (*form.sections, *form.questions)
    for part in parts:
        if part.relevant.strip():
            try:
                found[part.path] = paths_in(bind(part.relevant, form, part.path))
            except NotDecidable:
                continue
    return found


def _take_out(db: duckdb.DuckDBPyConnection, copied: Staged, path: str, rows: str) -> None:
    """Empty the answers of a question, or take away the rows of a repeat."""
    for table in copied.tables:
        relation = sql.name(copied.relations[table.name])
        if table.repeat == path:
            _take_rows(db, copied, table, rows)
        # Companions too: what stands beside a text is read in its place.
        names = [column.name for column in table.columns if path in (column.path, *column.was)]
        if names:
            place = "_row" if table.repeat else "''"
            emptied = ", ".join(f"{sql.name(name)} = NULL" for name in names)
            db.execute(f"UPDATE {relation} SET {emptied} WHERE (_submission_id, {place}) IN ({rows})")


def _take_rows(db: duckdb.DuckDBPyConnection, copied: Staged, table: Table, rows: str) -> None:
    """The rows of a repeat within the rows that are given, with all that is inside them."""
    for inner in copied.tables:
        if inner.repeat == table.repeat or inner.repeat.startswith(f"{table.repeat}/"):
            db.execute(
                f"DELETE FROM {sql.name(copied.relations[inner.name])} q WHERE EXISTS (SELECT 1 FROM ({rows}) "
                "v(id, row) WHERE v.id = q._submission_id AND (v.row = '' OR starts_with(q._row, v.row || '/')))"
            )
