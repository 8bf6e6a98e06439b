"""The judge that lands: answers in staged tables, every expression in SQL over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb

from dialogkit import sql
from dialogkit.logic.bind import bind, bind_filter
from dialogkit.logic.compile import Place, compile_tree, condition
from dialogkit.logic.parse import NeedsPython, NotDecidable
from dialogkit.logic.sql_choices import offered
from dialogkit.logic.sql_java import java_double
from dialogkit.logic.sql_let import let
from dialogkit.logic.terms import Term, by_case, day, number, text
from dialogkit.logic.tree import Tree, paths_in
from dialogkit.model.form import BuiltForm, Form, Question, Section
from dialogkit.model.kinds import kind_of
from dialogkit.model.staged import Staged
from dialogkit.model.submission import Answers
from dialogkit.validate.resolve import Rows
from dialogkit.warehouse.connect import writing
from tests.builders import received, stage_batch, write_batch
from tests.oracle.differential import Undecided, Verdict
from tests.oracle.instances import place_of

_YES: Final = {"yes": True, "true": True, "true()": True, "no": False, "false": False, "false()": False}
#: Submission and row.
_Key = tuple[str, str]


def judge_sql(built: BuiltForm, answers: Sequence[Answers], now: str) -> Sequence[Mapping[str, Verdict]]:
    """The verdicts of SQL on each submission, by place."""
    if not answers:
        return []
    with TemporaryDirectory() as folder:
        # Without its concepts nobody asks it for consent: every submission goes in.
        bare = tuple(replace(question, concept="") for question in built.form.questions)
        form = replace(built.form, questions=bare)
        whole = [received(form, one, f"uuid:{number}") for number, one in enumerate(answers)]
        batch = write_batch(Path(folder) / "batches", form, whole)
        with writing(Path(folder) / "w.duckdb") as db:
            db.execute("SET TimeZone = 'UTC'")
            staged = stage_batch(db, batch, form)
            copies = {name: f"stage_copy_{number}" for number, name in enumerate(staged.relations)}
            for name, copy in copies.items():
                db.execute(f"CREATE TEMP TABLE {copy} AS SELECT * FROM {sql.name(staged.relations[name])}")
            staged = replace(staged, relations=copies)
            judge = _Judge(db, staged, replace(built, form=form), f"DATE '{now[:10]}'")
            judge.run()
    return [judge.found.get(f"uuid:{number}", {}) for number in range(len(answers))]


@dataclass
class _Judge:
    db: duckdb.DuckDBPyConnection
    staged: Staged
    built: BuiltForm
    today: str
    found: dict[str, dict[str, Verdict]] = field(default_factory=dict)

    @property
    def form(self) -> Form:
        return self.built.form

    def run(self) -> None:
        """Relevance first, in its own order, each time taking out what is not relevant; then all other expressions."""
        own = _parts(self.form)
        for path in _in_order(self.form):
            self._relevance(own[path])
        for question in self.form.questions:
            self._others(question)
        for section in self.form.sections:
            if section.repeat_count.strip():
                self._count(section)

    def rows(self, path: str) -> Rows:
        table = next(table for table in self.staged.tables if table.repeat == self.form.repeat_of(path))
        language = self.form.default_language
        spoken = {one for some in self.form.choice_lists.values() for choice in some for one in choice.labels}
        return Rows(
            self.staged,
            table,
            self.form,
            dict(self.built.media),
            today=self.today,
            language=language if language in spoken else "",
        )

    def ask(self, path: str, expressions: Mapping[str, str]) -> Iterator[tuple[_Key, dict[str, Any]]]:
        rows = self.rows(path)
        wanted = ", ".join([rows.row, *expressions.values()])
        for submission, row, *values in self.db.execute(
            f"SELECT m._submission_id, {wanted} FROM {rows.source}"
        ).fetchall():
            yield (submission, row), dict(zip(expressions, values, strict=True))

    def note(self, key: _Key, path: str, **facts: Any) -> None:
        place = place_of(self.form, path, key[1])
        submission = self.found.setdefault(key[0], {})
        submission[place] = replace(submission.get(place, Verdict()), **facts)

    def _relevance(self, part: Section | Question) -> None:
        above = [section.path for section in self.form.sections_above(part.path)]
        wanted, said = "true", None
        try:
            if part.relevant.strip():
                wanted = condition(bind(part.relevant, self.form, part.path), self.rows(part.path))
        except NotDecidable as error:
            said = _undecided(error)
        for key, values in list(self.ask(part.path, {"relevant": wanted})):
            outer = self._outer(key, above)
            verdict = outer if outer is not True else said or bool(values["relevant"])
            self.note(key, part.path, relevant=verdict)
            if verdict is False:
                self._take_out(part.path, key)
        if part.path in self.form.repeats:
            self._of_rows(part.path)

    def _outer(self, key: _Key, above: Sequence[str]) -> bool | Undecided:
        for path in reversed(above):
            row = "/".join(key[1].split("/")[: _depth(self.form, path)])
            place = place_of(self.form, path, row)
            found = self.found.get(key[0], {}).get(place)
            if found is not None and found.relevant is not True:
                return found.relevant
        return True

    def _of_rows(self, repeat: str) -> None:
        """Each row of a repeat is as relevant as the repeat."""
        table = next(table for table in self.staged.tables if table.repeat == repeat)
        names = f"SELECT _submission_id, _row FROM {sql.name(self.staged.relations[table.name])}"
        for submission, row in self.db.execute(names).fetchall():
            outer = row.rpartition("/")[0]
            found = self.found.get(submission, {}).get(place_of(self.form, repeat, outer), Verdict())
            self.note((submission, row), repeat, relevant=found.relevant)

    def _take_out(self, path: str, key: _Key) -> None:
        for table in self.staged.tables:
            relation = sql.name(self.staged.relations[table.name])
            mine = [sql.name(column.name) for column in table.columns if column.path == path]
            row = "_row" if table.repeat else "''"
            if table.repeat == self.form.repeat_of(path) and mine and path not in self.form.repeats:
                emptied = ", ".join(f"{name} = NULL" for name in mine)
                self.db.execute(f"UPDATE {relation} SET {emptied} WHERE _submission_id = ? AND {row} = ?", [*key])

    def _others(self, question: Question) -> None:
        expressions: dict[str, str] = {}
        facts: dict[str, Any] = {}
        for kind, make in (
            ("required", self._required),
            ("constraint", self._constraint),
            ("calculation", self._calculation),
            ("filter", self._filter),
        ):
            try:
                made = make(question)
            except NotDecidable as error:
                facts[kind] = _undecided(error)
            else:
                expressions |= {kind: made} if made else {}
        if expressions or facts:
            for key, values in self.ask(question.path, expressions):
                self.note(key, question.path, **facts, **values)

    def _tree(self, expression: str, question: Question) -> Tree:
        return bind(expression, self.form, question.path)

    def _required(self, question: Question) -> str:
        plain = question.required.strip()
        if not plain:
            return ""
        known = _YES.get(plain.lower())
        if known is not None:
            return str(known)
        return condition(self._tree(plain, question), self.rows(question.path))

    def _constraint(self, question: Question) -> str:
        if not question.constraint.strip():
            return ""
        return condition(self._tree(question.constraint, question), self.rows(question.path))

    def _calculation(self, question: Question) -> str:
        if not question.calculation.strip():
            return ""
        term = compile_tree(self._tree(question.calculation, question), self.rows(question.path), question.path)
        return stored(term, question, self.form)

    def _filter(self, question: Question) -> str:
        if not question.choice_filter.strip():
            return ""
        rows = self.rows(question.path)
        kind: Any = "list" if question.list_name in self.form.choice_lists else "file"
        names = offered(Place(rows, question.path), bind_filter(question, self.form), kind, question.list_name)
        cell = rows.reference(question.path, rows.own)
        if cell.kind == "select_multiple":
            return f"list_has_all({names}, coalesce({cell.sql}, []))"
        return f"coalesce(list_contains({names}, {cell.sql}), true)"

    def _count(self, section: Section) -> None:
        facts: dict[str, Any] = {}
        wanted = "NULL"
        try:
            asked = number(compile_tree(bind(section.repeat_count, self.form, section.path), self.rows(section.path)))
            wanted = f"CASE WHEN {asked} IS NOT NULL THEN CAST(trunc({asked}) AS BIGINT) END"
        except NotDecidable as error:
            facts["count"] = _undecided(error)
        for key, values in self.ask(section.path, {"count": wanted}):
            self.note(key, section.path, **{**values, **facts})


def stored(term: Term, question: Question, form: Form) -> str:
    """SQL of the text that JavaRosa stores for a calculated value."""
    if term.type == "cases":
        return by_case(term, lambda one: stored(one, question, form))
    if term.type == "boolean":
        return f"CASE WHEN {term.sql} THEN '1' ELSE '0' END"
    if term.type == "number":
        whole = "CAST(trunc({0}) AS BIGINT)"
        shown = f"CASE WHEN abs({{0}}) < 9e18 AND abs({{0}} - trunc({{0}})) < 1e-9 THEN CAST({whole} AS VARCHAR)"
        return let(number(term), lambda held: f"coalesce({shown.format(held)} ELSE {java_double(held)} END, '')")
    if term.type in ("date", "moment", "time"):
        kind = kind_of(question, form)
        if kind == "date":
            return f"coalesce(CAST({day(term)} AS VARCHAR), '')"
        at = f"({day(term)} + {term.sql})" if term.type == "time" else f"CAST({term.sql} AS TIMESTAMP)"
        return f"coalesce(strftime({at}, '%Y-%m-%dT%H:%M:%S.%g') || 'Z', '')"
    return text(term)


def _undecided(error: NotDecidable) -> Undecided:
    return Undecided(f"{'python: ' if isinstance(error, NeedsPython) else ''}{error.reason}")


def _depth(form: Form, path: str) -> int:
    return sum(section.kind == "repeat" for section in form.sections_above(path))


def _parts(form: Form) -> dict[str, Section | Question]:
    return {**{one.path: one for one in form.sections}, **{one.path: one for one in form.questions}}


def _in_order(form: Form) -> list[str]:
    """Sections and questions, each after those that its relevance rests on."""
    graph: TopologicalSorter[str] = TopologicalSorter()
    own = _parts(form)
    for path, part in own.items():
        read: frozenset[str] = frozenset()
        if part.relevant.strip():
            try:
                read = paths_in(bind(part.relevant, form, path))
            except NotDecidable:
                read = frozenset()
        above = {section.path for section in form.sections_above(path)}
        inside = {other for one in read for other in own if one in form.repeats and other.startswith(f"{one}/")}
        graph.add(path, *sorted(((read & own.keys()) | above) - inside - {path}))
    try:
        return list(graph.static_order())
    except CycleError:
        return list(own)
