"""An independent judge of a form's rules: what must be broken, derived from the replay of its logic alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from dialogkit.logic.answers import Facts, Row
from dialogkit.logic.bind import bind
from dialogkit.logic.form_logic import Logic
from dialogkit.logic.media import media_rows
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.replay import Judged, replay
from dialogkit.logic.tree import Function, Nodes, trees_in
from dialogkit.model.form import BuiltForm, Form, Question
from dialogkit.model.report import Report
from dialogkit.model.staged import Staged
from dialogkit.model.submission import Answers, Origin
from dialogkit.validate.check import check
from dialogkit.validate.form_logic import KINDS
from dialogkit.validate.rules import rules_of
from tests.builders import received, stage_batch, write_batch

ARRIVED = "2026-11-20T10:00:00.000Z"
_CHOOSES = ("select_one", "select_multiple", "rank")
#: Submission, row, rule.
Broken = tuple[str, str, str]


@dataclass
class Agreement:
    """What the rules found and what the judge did, over the rules that both could decide.

    Args:
        found: by `check`.
        expected: by the judge.
        decided: codes of rules that SQL or Python decided.
        undecided: reasons by code.
        unsaid: what the replay did not decide.
    """

    found: set[Broken]
    expected: set[Broken]
    undecided: Mapping[str, str]
    decided: set[str]
    unsaid: set[Broken] = field(default_factory=set)

    @property
    def differences(self) -> tuple[list[Broken], list[Broken]]:
        """What only the rules found, and what only the judge did."""
        both = {one for one in self.found | self.expected if one[2] in self.decided and one not in self.unsaid}
        return sorted((self.found - self.expected) & both), sorted((self.expected - self.found) & both)


def agreement(
    db: duckdb.DuckDBPyConnection,
    folder: Path,
    built: Sequence[BuiltForm],
    answers: Sequence[tuple[str, Answers]],
    origin: Origin = "server",
) -> Agreement:
    """Stage, check and judge submissions, each of a version, beside one another."""
    staged = staged_of(db, folder, built, answers, origin)
    report = check(db, staged, rules_of(staged), today=datetime.fromisoformat(ARRIVED).date())
    rows = db.execute("SELECT submission_id, row, rule FROM stage_violations").fetchall()
    told = [one for one in report.results if one.code.startswith(KINDS)]
    found = [row for row in rows if row[2].startswith(KINDS)]
    assert len(found) == len(set(found)), "told twice"
    agreed = Agreement(
        set(found), set(), {one.code: one.undecided for one in told if one.undecided}, {one.code for one in told}
    )
    agreed.decided -= set(agreed.undecided)
    _expect(agreed, built, answers, origin)
    return agreed


def staged_of(
    db: duckdb.DuckDBPyConnection,
    folder: Path,
    built: Sequence[BuiltForm],
    answers: Sequence[tuple[str, Answers]],
    origin: Origin = "server",
) -> Staged:
    """A batch of submissions without concepts: nobody asks them for consent."""
    forms = {one.form.version: bare(one.form) for one in built}
    latest = forms[built[-1].form.version]
    whole = [
        received(latest, one, f"uuid:{number}", version=version, origin=origin, submitted_at=ARRIVED)
        for number, (version, one) in enumerate(answers)
    ]
    batch = write_batch(folder, latest, whole, origin=origin)
    staged = stage_batch(db, batch, *forms.values())
    return replace(staged, media={one.form.version: dict(one.media) for one in built})


def bare(form: Form) -> Form:
    """The form without its concepts."""
    return replace(form, questions=tuple(replace(question, concept="") for question in form.questions))


def _expect(
    agreed: Agreement, built: Sequence[BuiltForm], answers: Sequence[tuple[str, Answers]], origin: Origin
) -> None:
    judges = {one.form.version: RuleJudge(one, origin) for one in built}
    for number, (version, one) in enumerate(answers):
        if version in judges:
            for row, rule, broken in judges[version].judged(one):
                (agreed.unsaid if broken is None else agreed.expected if broken else set()).add(
                    (f"uuid:{number}", row, rule)
                )


class RuleJudge:
    """Judges the submissions of one version."""

    def __init__(self, built: BuiltForm, origin: Origin) -> None:
        self.form = bare(built.form)
        self.logic = Logic(self.form)
        self.origin = origin
        self.media = media_rows(built.media)

    def judged(self, answers: Answers) -> Iterator[tuple[str, str, bool | None]]:
        """Row, rule, and whether it is broken; None where the replay cannot say it."""
        facts = Facts(now=day_of(self.form, answers), media=self.media)
        root = Row.of(answers)
        seen = list(replay(self.form, answers, facts, self.logic))
        hidden = {(one.path, one.row): one for one in seen if one.relevant is not True and one.path not in self.form.by_path}
        by_place = {(one.path, one.row): one for one in seen}
        for repeat in self.form.repeats:
            yield from self._repeat(repeat, root, facts, by_place)
        for one in seen:
            if one.path in self.form.by_path and not self._gone(one.path, one.row, hidden):
                yield from self._question(self.form.by_path[one.path], one, root, by_place)

    def _gone(self, path: str, row: str, hidden: Mapping[tuple[str, str], Judged]) -> bool:
        """Whether a row around it is not relevant: then only that repeat is told."""
        labels = row.split("/") if row else []
        repeats = [section.path for section in self.form.sections_above(path) if section.kind == "repeat"]
        for depth, repeat in enumerate(repeats, 1):
            one = hidden.get((repeat, "/".join(labels[:depth])))
            if one and one.relevant is False:
                return True
        return False

    def _repeat(
        self, repeat: str, root: Row, facts: Facts, by_place: Mapping[tuple[str, str], Judged]
    ) -> Iterator[tuple[str, str, bool | None]]:
        around = [section.path for section in self.form.sections_above(repeat) if section.kind == "repeat"]
        section = next(one for one in self.form.sections if one.path == repeat)
        for above in root.rows(around):
            rows = above.below.get(repeat, [])
            outer = self._section_relevant(repeat, above, by_place)
            if around and self._relevant_row(around, above.label, by_place) is False:
                continue
            own = self._own(repeat, rows, above, by_place, outer, facts, root)
            relevant = False if outer is False or own is False else None if outer is None or own is None else True
            if rows:
                yield above.label, f"FORM-RELEVANT:{repeat}", None if relevant is None else not relevant
            if self._gated(section.relevant):
                yield above.label, f"FORM-ROWS:{repeat}", None if relevant is None else relevant and not rows
            if section.repeat_count:
                one = next((j for j in [by_place.get((f"#{repeat}", above.label))] if j), None)
                count, why = self._count(repeat, above, facts, root)
                if why or relevant is None:
                    yield above.label, f"FORM-COUNT:{repeat}", None
                else:
                    yield above.label, f"FORM-COUNT:{repeat}", relevant and count is not None and count != len(rows)

    def _count(self, repeat: str, above: Row, facts: Facts, root: Row) -> tuple[int | None, bool]:
        _settled(self.logic, root, facts)
        try:
            count = self.logic.count(repeat, above, facts)
        except NotDecidable:
            return None, True
        return (None if count is None else max(count, 0)), False

    def _own(self, repeat, rows, above, by_place, outer, facts, root):
        if rows:
            said = {by_place[repeat, row.label].relevant for row in rows}
            return said.pop() if len(said) == 1 else None
        _settled(self.logic, root, facts)
        try:
            return self.logic.relevant(repeat, Row(repeat, 1, above), facts)
        except NotDecidable:
            return None

    def _relevant_row(self, around, label, by_place):
        labels = label.split("/")
        said = [by_place[repeat, "/".join(labels[:depth])].relevant for depth, repeat in enumerate(around, 1)]
        return False if False in said else None if None in said else True

    def _section_relevant(self, path, above, by_place):
        said = []
        labels = above.label.split("/") if above.label else []
        for section in self.form.sections_above(path):
            depth = sum(1 for one in self.form.sections_above(section.path) if one.kind == "repeat")
            depth += section.kind == "repeat"
            said.append(by_place[section.path, "/".join(labels[:depth])].relevant)
        return False if False in said else None if None in said else True

    @staticmethod
    def _gated(relevant: str) -> bool:
        import re

        return bool(re.fullmatch(r"\s*\$\{[^}]+\}\s*=\s*(['\"])yes\1\s*", relevant))

    def _question(
        self, question: Question, one: Judged, root: Row, by_place: Mapping[tuple[str, str], Judged]
    ) -> Iterator[tuple[str, str, bool | None]]:
        if not question.has_answer:
            return
        text = _text(self.form, root, one).strip()

        def said(kind: str, broken: bool | None) -> tuple[str, str, bool | None]:
            return one.row, f"{kind}:{question.path}", broken

        if one.relevant is None:
            yield from (said(kind, None) for kind in KINDS)
            return
        yield said("FORM-RELEVANT", bool(text) and not one.relevant)
        if not one.relevant:
            return
        if self.origin != "import" and question.type != "calculate":
            yield said("FORM-REQUIRED", None if one.required is None else one.required and not text)
        if text:
            yield from self._answered(question, one, text, said, root, by_place)
        if question.type == "calculate" and question.calculation and not question.trigger:
            why = one.undecided.get("calculation") or self._of_the_moment(question)
            yield said("FORM-CALCULATION", None if why or one.calculated is None else not same(text, one.calculated))

    def _answered(self, question, one, text, said, root, by_place):
        why = one.undecided.get("constraint")
        if question.constraint:
            judged = self.origin != "import" or self._stated(question, one, root)
            yield said("FORM-CONSTRAINT", None if why else judged and one.constraint is False)
        if question.type in _CHOOSES and question.choice_filter:
            if "choice_filter" in one.undecided:
                yield said("FORM-FILTER", None)
                return
            codes = {text} if question.type == "select_one" else set(text.split())
            offered = set(self._offered(question, one, root))
            broken = any(code in self._all(question) and code not in offered for code in codes)
            yield said("FORM-FILTER", broken)

    def _offered(self, question, one, root):
        row = _row(self.form, root, one)
        return self.logic.choices(question.path, row, self.facts)

    def _all(self, question):
        if question.list_name in self.form.choice_lists:
            return {choice.name for choice in self.form.choice_lists[question.list_name]}
        from dialogkit.logic.form_logic import _code_column

        return {row.get(_code_column(question), "") for row in self.media.get(question.list_name, ())}
