"""Judges again the submissions that answer what was not relevant: on a phone, such answers read as empty.

One answer that is not relevant can make others relevant or not, and those again. So the submissions concerned are
copied, and their answers are taken out in the order in which relevance follows from relevance; every rule of the form's
logic that reads something of it is then run again on the copies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.logic.bind import bind, bind_filter
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.tree import ChoiceName, paths_in, trees_in
from dialogkit.model.form import Form, Question, Section
from dialogkit.model.staged import Staged
from dialogkit.model.table import Table
from dialogkit.validate.by_version import Versions
from dialogkit.validate.logic_rules import logic_rules
from dialogkit.validate.rule import Rule
from dialogkit.validate.violations import VIOLATIONS

_COPY: Final = "stage_masked_"
_RELEVANT: Final = "FORM-RELEVANT:"

#: Runs rules into the violation table; gives the codes of those that failed.
Insert = Callable[[Sequence[Rule]], "set[str]"]


def tells_relevance(rule: Rule) -> bool:
    """Whether a rule says what was answered though it is not relevant."""
    return rule.code.startswith(_RELEVANT)


def judge_again(db: duckdb.DuckDBPyConnection, staged: Staged, first: Sequence[Rule], insert: Insert) -> set[str]:
    """Replace what the rules of the form's logic said of the submissions that answer what was not relevant.

    Args:
        db: holds the staged tables and the violations of a first pass.
        staged: the batch.
        first: its rules: their codes, actions and words stand.
        insert: runs rules into the violation table, with what Python knows of relevance; gives the codes of those
            that failed.

    Returns:
        The codes of rules that failed to run.
    """
    concerned = f"SELECT submission_id FROM {VIOLATIONS} WHERE starts_with(rule, {sql.text(_RELEVANT)})"
    if not db.execute(f"{concerned} LIMIT 1").fetchone():
        return set()
    with _copies(db, staged, concerned) as copied:
        standing = {rule.code: rule for rule in first}
        again = {rule.code: rule for rule in logic_rules(Versions(copied)) if rule.code in standing}
        rules = {code: replace(standing[code], query=rule.query) for code, rule in again.items()}
        return _Masking(db, copied, rules, insert).run()


@dataclass
class _Masking:
    """Takes out what is not relevant, and judges again what rests on it.

    Args:
        db: holds the staged tables and the violations of a first pass.
        copied: the submissions concerned.
        rules: of the form's logic over these copies, by code.
        insert: as in `judge_again`.
        failed: codes of rules that failed to run.
        empty: paths that some submission does not answer any more.
    """

    db: duckdb.DuckDBPyConnection
    copied: Staged
    rules: Mapping[str, Rule]
    insert: Insert
    failed: set[str] = field(default_factory=set)
    empty: set[str] = field(default_factory=set)

    def run(self) -> set[str]:
        """Gives the codes of rules that failed."""
        reads = _reads(self.copied)
        for level in _in_order(self.copied):
            self.judge([f"{_RELEVANT}{path}" for path in level if reads[path] & self.empty])
            for path in self.irrelevant(level):
                found = f"SELECT submission_id, row FROM {VIOLATIONS} WHERE rule = {sql.text(f'{_RELEVANT}{path}')}"
                _take_out(self.db, self.copied, path, found)
                self.empty |= {other for other in reads if other == path or other.startswith(f"{path}/")}
        self.judge(
            [code for code, rule in self.rules.items() if not tells_relevance(rule) and reads[rule.path] & self.empty]
        )
        return self.failed

    def judge(self, codes: Sequence[str]) -> None:
        """Say once more what rules say of the submissions concerned."""
        rules = [self.rules[code] for code in codes if code in self.rules]
        if rules:
            named = sql.texts(rule.code for rule in rules)
            self.db.execute(
                f"DELETE FROM {VIOLATIONS} WHERE rule IN ({named}) AND submission_id IN (FROM stage_concerned)"
            )
            self.failed |= self.insert(rules)

    def irrelevant(self, level: Sequence[str]) -> list[str]:
        """Those of some paths that somebody answered though they were not relevant."""
        named = sql.texts(f"{_RELEVANT}{path}" for path in level)
        rows = self.db.execute(f"SELECT DISTINCT rule FROM {VIOLATIONS} WHERE rule IN ({named})").fetchall()
        return sorted(code.removeprefix(_RELEVANT) for (code,) in rows)


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


def _in_order(staged: Staged) -> Iterator[list[str]]:
    """Paths of questions and repeats by levels, each level after those that its relevance rests on, in any version."""
    graph: TopologicalSorter[str] = TopologicalSorter()
    for form in staged.forms.values():
        parts: tuple[Section | Question, ...] = (*form.sections, *form.questions)
        relevant = {part.path: _read_in(form, part.path, [part.relevant]) for part in parts}
        for path in (*form.by_path, *sorted(form.repeats)):
            above = [section.path for section in form.sections_above(path)]
            read = frozenset().union(*(relevant.get(part, frozenset()) for part in (*above, path)))
            graph.add(path, *((read | set(above)) & (form.by_path.keys() | form.repeats) - {path}))
    try:
        graph.prepare()
    except CycleError:  # one version may ask in another order than the next, and a phone refuses a true circle
        every = [path for form in staged.forms.values() for path in (*sorted(form.repeats), *form.by_path)]
        yield from ([path] for path in dict.fromkeys(every))
        return
    while graph.is_active():
        level = graph.get_ready()
        yield sorted(level)
        graph.done(*level)


def _reads(staged: Staged) -> Mapping[str, frozenset[str]]:
    """All that the rules of each question and repeat read, in any version: itself, and what its expressions name."""
    found: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for form in staged.forms.values():
        own: dict[str, frozenset[str]] = {}
        for section in form.sections:
            own[section.path] = _read_in(form, section.path, [section.relevant, section.repeat_count])
        for one in form.questions:
            own[one.path] = _read_in(form, one.path, [one.relevant, one.required, one.constraint, one.calculation])
            own[one.path] |= _read_by_filter(form, one)
        for path in own:
            above = [section.path for section in form.sections_above(path)]
            found[path] |= frozenset({path}).union(*(own[part] for part in (*above, path)))
    return found


def _read_in(form: Form, path: str, expressions: Iterable[str]) -> frozenset[str]:
    """What expressions read; what cannot be decided reads nothing."""
    found: frozenset[str] = frozenset()
    for expression in expressions:
        if expression.strip():
            with suppress(NotDecidable):
                tree = bind(expression, form, path)
                named = [part.path for part in trees_in(tree) if isinstance(part, ChoiceName)]
                found |= paths_in(tree).union(*(_read_by_filter(form, form.by_path[name]) for name in named))
    return found


def _read_by_filter(form: Form, question: Question) -> frozenset[str]:
    with suppress(NotDecidable):
        return paths_in(bind_filter(question, form)) if question.choice_filter.strip() else frozenset()
    return frozenset()


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
