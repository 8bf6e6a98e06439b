"""An independent judge of a form's rules: what must be broken, from the Python evaluator alone (no SQL)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import duckdb

from dialogkit.logic.answers import Facts, Row
from dialogkit.logic.bind import bind
from dialogkit.logic.form_logic import FormLogic
from dialogkit.logic.media import media_rows
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.settle import settle
from dialogkit.logic.tree import Nodes, trees_in
from dialogkit.model.form import BuiltForm, Form, Question
from dialogkit.model.lineage import Lineage
from dialogkit.model.staged import Staged
from dialogkit.model.submission import Answers, Origin
from dialogkit.normalize.staging import stage
from dialogkit.validate.check import check
from dialogkit.validate.rules import rules_of
from tests.builders import received, write_batch

ARRIVED: Final = "2026-11-20T10:00:00.000Z"
TODAY: Final = date(2026, 11, 20)
_KINDS: Final = ("RELEVANT", "REQUIRED", "CONSTRAINT", "FILTER", "CALCULATION", "ROWS", "COUNT")
_CHOOSES: Final = ("select_one", "select_multiple", "rank")
_GATE: Final = re.compile(r"\s*\$\{[^}]+\}\s*=\s*(['\"])yes\1\s*")
_Found = TypeVar("_Found")
#: Submission, row, rule.
Broken = tuple[str, str, str]
#: Row, rule, and whether it is broken; None where the evaluator cannot say it.
Said = tuple[str, str, "bool | None"]
#: A version and the answers of one submission.
Sent = tuple[str, Answers]


@dataclass
class Agreement:
    """What the rules found and what the judge did.

    Args:
        found: by the rules.
        expected: by the judge.
        undecided: rules that were not decided for all of the batch: code → why.
        unsaid: what the judge cannot say.
        said: rules that the judge spoke of.
    """

    found: set[Broken] = field(default_factory=set)
    expected: set[Broken] = field(default_factory=set)
    undecided: Mapping[str, str] = field(default_factory=dict)
    unsaid: set[Broken] = field(default_factory=set)
    said: set[str] = field(default_factory=set)

    @property
    def differences(self) -> tuple[list[Broken], list[Broken]]:
        """What only the rules found, and what only the judge did, where both can say it."""
        return (
            sorted(one for one in self.found - self.expected - self.unsaid if one[2] not in self.undecided),
            sorted(one for one in self.expected - self.found if one[2] not in self.undecided),
        )


def agreement(
    db: duckdb.DuckDBPyConnection,
    folder: Path,
    built: Sequence[BuiltForm],
    sent: Sequence[Sent],
    origin: Origin = "server",
    same: Mapping[str, str] | None = None,
) -> Agreement:
    """Stage and check a batch, and judge its submissions beside that. Versions are oldest first.

    `same`: earlier paths of renamed questions with their newest.
    """
    staged = staged_of(db, folder, built, sent, origin, same)
    report = check(db, staged, rules_of(staged), today=TODAY)
    assert [result.code for result in report.results if not result.evaluated and not result.undecided] == []
    rows = db.execute("SELECT submission_id, row, rule FROM stage_violations").fetchall()
    found = [row for row in rows if row[2].startswith(tuple(f"FORM-{kind}:" for kind in _KINDS))]
    assert len(found) == len(set(found)), "told twice"
    agreed = Agreement(set(found), undecided={one.code: one.undecided for one in report.results if one.undecided})
    judges = {one.form.version: RuleJudge(one, origin) for one in built}
    for number, (version, answers) in enumerate(sent):
        for row, rule, broken in judges[version].judged(answers) if version in judges else ():
            agreed.said.add(rule)
            if broken or broken is None:
                (agreed.unsaid if broken is None else agreed.expected).add((f"uuid:{number}", row, rule))
    return agreed


def staged_of(
    db: duckdb.DuckDBPyConnection,
    folder: Path,
    built: Sequence[BuiltForm],
    sent: Sequence[Sent],
    origin: Origin = "server",
    same: Mapping[str, str] | None = None,
) -> Staged:
    """A batch of submissions; without concepts, so that nobody asks them for consent."""
    forms = [bare(one.form) for one in built]
    by_version = {form.version: form for form in forms}
    whole = [
        received(by_version.get(version, forms[-1]), one, f"uuid:{number}", version=version, origin=origin)
        for number, (version, one) in enumerate(sent)
    ]
    batch = write_batch(folder, forms[-1], whole, origin=origin)
    known = {form.version: form for form in forms}
    staged = stage(db, batch.manifest, batch.submissions, known, lineage=Lineage(same=same or {}))
    return replace(staged, media={one.form.version: dict(one.media) for one in built})


def bare(form: Form) -> Form:
    """The form without its concepts."""
    return replace(form, questions=tuple(replace(question, concept="") for question in form.questions))


class RuleJudge:
    """Judges the submissions of one version."""

    def __init__(self, built: BuiltForm, origin: Origin = "server") -> None:
        self.form = bare(built.form)
        self.logic = FormLogic(self.form)
        self.origin = origin
        self.media = media_rows(built.media)

    def judged(self, answers: Answers) -> Iterator[Said]:
        """What every rule says of every row of a submission."""
        yield from _Judged(self, answers).rows("", [])


class _Judged:
    """One submission: its logic is settled on the stored answers, as a phone would read them."""

    def __init__(self, judge: RuleJudge, answers: Answers) -> None:
        self.judge, self.form, self.logic = judge, judge.form, judge.logic
        self.facts = Facts(now=moment_of(self.form, answers), media=judge.media)
        self.root = Row.of(answers)
        self.undecided = settle(self.logic, self.root, self.facts, keep=True)

    def rows(self, repeat: str, around: list[str]) -> Iterator[Said]:
        """Every row of a repeat that is relevant, with what is in it: of other rows only the repeat is told."""
        inner = [path for path in self.form.repeats if self.form.repeat_of(path) == repeat]
        for row in self.root.rows(around):
            if repeat and self.gone(repeat, row):
                continue
            for question in self.form.questions:
                if self.form.repeat_of(question.path) == repeat and question.has_answer:
                    for kind, broken in self.question(question, row):
                        yield row.label, f"FORM-{kind}:{question.path}", broken
            for path in inner:
                for kind, broken in self.repeat(path, row):
                    yield row.label, f"FORM-{kind}:{path}", broken
        for path in inner:
            yield from self.rows(path, [*around, path])

    def gone(self, repeat: str, row: Row) -> bool:
        """Whether a row, or one around it, is not relevant."""
        return self.logic.hidden(repeat, row)

    def relevant(self, path: str, row: Row) -> bool | None:
        """Whether a question or repeat is relevant in a row, by itself and by what holds it."""
        if self.logic.hidden(path, row):
            return False
        while path:
            place = row.around(path if path in self.form.repeats else self.form.repeat_of(path))
            if (place.label, path, "relevant") in self.undecided:
                return None
            path = path.rpartition("/")[0]
        return True

    def repeat(self, path: str, above: Row) -> Iterator[tuple[str, bool | None]]:
        rows = above.below.get(path, [])
        section = next(one for one in self.form.sections if one.path == path)
        relevant = self.opens(path, above, rows)
        if rows:
            yield "RELEVANT", None if relevant is None else not relevant
        if _GATE.fullmatch(section.relevant):
            yield "ROWS", None if relevant is None else relevant and not rows
        if section.repeat_count:
            count = self.tried(lambda: self.logic.count(path, above, self.facts))
            if relevant is None or isinstance(count, NotDecidable):
                yield "COUNT", None
            else:
                yield "COUNT", relevant and count is not None and max(count, 0) != len(rows)

    def opens(self, path: str, above: Row, rows: Sequence[Row]) -> bool | None:
        """Whether a repeat is relevant in the row that holds it; None where its rows do not agree."""
        said = {self.relevant(path, row) for row in rows}
        if rows:
            return said.pop() if len(said) == 1 else None
        first = Row(path, 1, above)
        own = self.tried(lambda: self.logic.relevant(path, first, self.facts))
        outer = self.relevant(path.rpartition("/")[0], above) if "/" in path else True
        if outer is False or own is False:
            return False
        return None if outer is None or isinstance(own, NotDecidable) else True

    @staticmethod
    def tried(ask: Callable[[], _Found]) -> _Found | NotDecidable:
        try:
            return ask()
        except NotDecidable as refusal:
            return refusal

    def question(self, question: Question, row: Row) -> Iterator[tuple[str, bool | None]]:
        text = row.values.get(question.path, "").strip()
        relevant = self.relevant(question.path, row)
        if relevant is None:
            yield from ((kind, None) for kind in _KINDS)
            return
        if text and self.tried(lambda: self.logic.value(question.path, row, self.facts)) == "":
            yield from (("RELEVANT", None), ("CONSTRAINT", None))  # it is not of its type: FORM-TYPE tells it
        else:
            yield "RELEVANT", bool(text) and not relevant
        if relevant:
            yield from self.asked(question, row, text)

    def asked(self, question: Question, row: Row, text: str) -> Iterator[tuple[str, bool | None]]:
        """The rules of a relevant question."""
        path, imported = question.path, self.judge.origin == "import"
        if not imported and question.type != "calculate" and not text:
            yield "REQUIRED", self.holds(lambda: self.logic.required(path, row, self.facts))
        if text and question.constraint and (not imported or self.stated(question, row)):
            holds = self.holds(lambda: self.logic.constraint(path, row, self.facts))
            yield "CONSTRAINT", None if holds is None else not holds
        if text and question.choice_filter and question.type in _CHOOSES:
            offered = self.tried(lambda: self.logic.choices(path, row, self.facts))
            codes = {text} if question.type == "select_one" else set(text.split())
            known = codes & self.codes(question)
            yield "FILTER", None if isinstance(offered, NotDecidable) else bool(known - set(offered))
        if question.type == "calculate" and question.calculation and not question.trigger:
            unsaid = (row.label, path, "calculation") in self.undecided
            yield "CALCULATION", None if unsaid else not same(text, row.computed.get(path, ""))

    def holds(self, ask: Callable[[], bool]) -> bool | None:
        found = self.tried(ask)
        return None if isinstance(found, NotDecidable) else bool(found)

    def stated(self, question: Question, row: Row) -> bool:
        """Whether a page states every answer with which a constraint compares."""
        read = trees_in(bind(question.constraint, self.form, question.path))
        single = [part.path for part in read if isinstance(part, Nodes) and not part.repeats and not part.filters]
        places = [(path, row.around(self.form.repeat_of(path))) for path in single if path in self.form.by_path]
        return all(place.values.get(path, "").strip() and not self.logic.hidden(path, place) for path, place in places)

    def codes(self, question: Question) -> set[str]:
        """The codes of all choices, whatever the filter."""
        if question.list_name in self.form.choice_lists:
            return {choice.name for choice in self.form.choice_lists[question.list_name]}
        found = re.search(r"value\s*=\s*([^\s,;]+)", question.parameters)
        return {row.get(found[1] if found else "name", "") for row in self.judge.media.get(question.list_name, ())}


def moment_of(form: Form, answers: Answers) -> datetime:
    """A moment of the day on the phone: of the end, of the day that it told, of the start; or the last that it was."""
    for kind in ("end", "today", "start"):
        for question in form.questions:
            text = answers.get(question.path)
            if question.type == kind and isinstance(text, str):
                try:
                    return datetime.fromisoformat(text)
                except ValueError:
                    continue
    return datetime.fromisoformat(ARRIVED) + timedelta(hours=14)


def same(stored: str, made: str) -> bool:
    """Whether two texts are one value: as texts, as numbers, as yes and no, as days."""
    if stored == made.strip():
        return True
    if made in ("0", "1") and stored in ("true", "false"):
        return stored == ("true" if made == "1" else "false")
    if re.fullmatch(r"\d{4}-\d\d-\d\dT.*", made):
        return stored[:10] == made[:10]
    try:
        return math.isclose(float(stored), float(made), rel_tol=1e-9, abs_tol=1e-9)
    except ValueError:
        return False
