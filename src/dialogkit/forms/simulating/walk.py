"""One submission: the form from top to bottom, as a phone and somebody who only makes things up fill it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final, TypeVar

from dialogkit.forms.simulating import values
from dialogkit.forms.simulating.chance import by_chance
from dialogkit.forms.simulating.chart import Chart, Item
from dialogkit.forms.simulating.goals import Goals, Impossible, Want
from dialogkit.forms.simulating.limits import Limits, limits_of
from dialogkit.forms.simulating.steering import Plan, Steering
from dialogkit.forms.simulating.tally import Tally
from dialogkit.logic.answers import KINDS, Facts, Row
from dialogkit.logic.form_logic import Part
from dialogkit.logic.parse import NotDecidable, Number, Text
from dialogkit.logic.tree import Tree, paths_in
from dialogkit.logic.values import Value, stored, to_number, to_text
from dialogkit.model.form import Question, Section
from dialogkit.model.synthetic import DEVICE

_TRIES: Final = 24
_MOST_ROWS: Final = 40
_SELECTS: Final = frozenset({"select_one", "select_multiple", "rank"})
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Phone:
    """The phone that fills in one submission.

    Args:
        facts: its moment, media and language.
        device: what it calls itself.
        number: of the submission, for names of files.
    """

    facts: Facts
    device: str
    number: int

    @property
    def now(self) -> datetime:
        """The moment at which the form is saved."""
        if self.facts.now is None:
            raise ValueError("a phone has a clock")
        return self.facts.now


class Walk:
    """Fills in one submission.

    Args:
        chart, steering, tally: of the form and the run.
        rng: the source of chance.
        phone: who fills it in.
        plan: where it should lead.
    """

    def __init__(
        self, chart: Chart, steering: Steering, tally: Tally, rng: Random, phone: Phone, plan: Plan
    ) -> None:  # everything a walk is made from
        self._chart, self._logic, self._form = chart, chart.logic, chart.form
        self._goals = Goals(rng, steering)
        self._tally, self._rng, self._phone, self._plan = tally, rng, phone, plan
        self._days: dict[Tree, float] = {}
        self.root = Row.of({})
        self._rows: dict[str, list[Row]] = {"": [self.root]}
        self.reached: list[str] = []
        self.unsatisfied: list[str] = []

    def fill(self) -> Row:
        """Go through the whole form."""
        for item in self._chart.order:
            for row in self._rows.get(item.repeat, ()):
                self._visit(item, row)
        return self.root

    def _visit(self, item: Item, row: Row) -> None:
        if not self._relevant(item, row):
            row.hidden.add(item.path)
            return
        self.reached.append(item.path)
        if isinstance(item.about, Section):
            if item.about.kind == "repeat":
                self._open(item.about, row)
        elif item.about.has_answer:
            text = self._answer(item.about, row)
            if text:
                row.values[item.path] = text

    def _relevant(self, item: Item, row: Row) -> bool:
        if item.group and item.group in row.hidden:
            return False
        # A repeat that has no row yet is judged as its first row would be.
        of = Row(item.path, 1, row) if item.path in self._form.repeats else row
        return self._decided(
            item.path, "relevant", lambda: self._logic.relevant(item.path, of, self._phone.facts), True
        )

    def _decided(self, path: str, part: Part, ask: Callable[[], _Found], otherwise: _Found) -> _Found:
        try:
            return ask()
        except NotDecidable as error:
            self._tally.undecided[path, part] = error.reason
            return otherwise

    def _open(self, section: Section, row: Row) -> None:
        for _ in range(self._count(section, row)):
            self._rows.setdefault(section.path, []).append(row.add(section.path))

    def _count(self, section: Section, row: Row) -> int:
        if section.repeat_count:
            ask = lambda: self._logic.count(section.path, row, self._phone.facts)  # noqa: E731 - said once
            return max(self._decided(section.path, "repeat_count", ask, None) or 0, 0)
        wanted = self._plan.wants.get(section.path, [])
        low, high = self._limits(wanted, row, section.path).count.whole(0, 3)
        needed = 1 if section.path in self._plan.rows or self._chart.gate(section.path) else 0
        low = max(low, needed)
        return min(self._rng.randint(low, max(low, min(high, low + 3))), _MOST_ROWS)

    def _answer(self, question: Question, row: Row) -> str:
        if question.calculation and not self._asks(question.path):
            return self._calculated(question, row)
        if question.path in self._chart.asked.filled:
            return self._preloaded(question)
        first = self._first(question, row)
        if not self._asks(question.path):
            return first
        if first and self._rng.random() < 0.5 and self._stays(question, row, first):
            return first
        return self._chosen(question, row)

    def _stays(self, question: Question, row: Row, first: str) -> bool:
        """Whether what stands there at first is an answer that the form takes."""
        if question.type in _SELECTS and not set(first.split()) <= set(self._offered(question, row)):
            return False
        return self._fits(question.path, row, first)

    def _asks(self, path: str) -> bool:
        facts = self._chart.asked
        return path in facts.shown and path not in facts.readonly and path not in facts.calculated

    def _calculated(self, question: Question, row: Row) -> str:
        path = question.path
        try:
            text, row.typed[path] = self._logic.calculated(path, row, self._phone.facts)
        except NotDecidable as error:
            self._tally.undecided[path, "calculation"] = error.reason
            tree = self._chart.tree(path, "calculation")
            text = self._decided(path, "calculation", lambda: self._by_chance(tree, path, row), "") if tree else ""
        return text

    def _by_chance(self, tree: Tree, path: str, row: Row) -> str:
        found = self._chart.value(by_chance(tree, self._rng), path, row, self._phone.facts)
        return stored(found, KINDS.get(self._form.by_path[path].type, "text"))[0]

    def _preloaded(self, question: Question) -> str:
        now = self._phone.now
        if question.type in ("start", "end"):
            minutes = self._rng.uniform(3, 40) if question.type == "start" else 0
            return values.in_zone(now - timedelta(minutes=minutes), "Z")
        known = {"today": now.date().isoformat(), "deviceid": self._phone.device, "username": "simulated"}
        known |= {"subscriberid": self._phone.device, "simserial": f"{DEVICE}sim"}
        return known.get(question.type, "")

    def _first(self, question: Question, row: Row) -> str:
        """What stands in it when the form opens."""
        first = self._chart.asked.first.get(question.path, "")
        tree = self._chart.tree(question.path, "default") if not first else None
        if tree is None:
            return first
        ask = lambda: self._logic.run(question.path, "default", row, self._phone.facts)  # noqa: E731 - said once
        nothing: Value = ""
        return stored(self._decided(question.path, "default", ask, nothing), KINDS.get(question.type, "text"))[0]

    def _chosen(self, question: Question, row: Row) -> str:
        path = question.path
        wants = self._plan.wants.get(path, [])
        required = self._decided(path, "required", lambda: self._logic.required(path, row, self._phone.facts), True)
        aimed = self._limits(wants, row, path) if wants else Limits()
        if not required and (aimed.answered is False or (not wants and self._rng.random() < 0.2)):
            return ""
        offered = self._offered(question, row)
        for attempt in range(_TRIES):
            steered = wants if attempt < _TRIES // 2 else []
            limits = self._limits([*self._own(path), *steered], row, path)
            text = values.value(self._rng, self._asked_value(question, offered), limits)
            if text and (not steered or text not in limits.unequal) and self._fits(path, row, text):
                self._tally.answered[path] += 1
                if question.type in _SELECTS:
                    self._tally.chose(path, text)
                return text
        if required:
            self.unsatisfied.append(path)
        return ""

    def _own(self, path: str) -> list[Want]:
        """What the constraint asks of the question itself, on one of its ways."""
        tree = self._chart.tree(path, "constraint")
        if tree is None:
            return []
        try:
            return [want for want in self._goals.of(tree) if want.path == path]
        except Impossible:
            return []

    def _fits(self, path: str, row: Row, text: str) -> bool:
        ask = lambda: self._logic.constraint(path, row, self._phone.facts, text)  # noqa: E731 - said once
        return self._decided(path, "constraint", ask, True)

    def _asked_value(self, question: Question, offered: list[str]) -> values.Question:
        facts = self._chart.asked
        return values.Question(
            type=question.type,
            now=self._phone.now,
            offered=offered,
            range=facts.ranges.get(question.path),
            few=question.path in self._chart.counting,
            file=f"{question.name}_{self._phone.number}_{self._rng.randrange(10**6)}",
        )

    def _offered(self, question: Question, row: Row) -> list[str]:
        if question.type not in _SELECTS:
            return []
        ask = lambda: self._logic.choices(question.path, row, self._phone.facts)  # noqa: E731 - said once
        nothing: list[str] = []
        found = [code for code in dict.fromkeys(self._decided(question.path, "choice_filter", ask, nothing)) if code]
        if question.choice_filter:
            self._tally.offered[question.path].update(found)
        if question.type != "select_one":
            found = [code for code in found if len(code.split()) == 1]
        return list(self._tally.by_use(question.path, found))

    def _limits(self, wants: list[Want], row: Row, at: str) -> Limits:
        def number(tree: Tree) -> float:
            return self._number(tree, row, at)

        def text(tree: Tree) -> str:
            if isinstance(tree, Text):
                return tree.value
            if isinstance(tree, Number):
                return tree.digits
            return self._decided(at, "constraint", lambda: to_text(self._value(tree, row, at)), "")

        return limits_of(wants, number, text)

    def _number(self, tree: Tree, row: Row, at: str) -> float:
        if isinstance(tree, Number):
            return float(tree.digits)
        if isinstance(tree, Text):
            return _days(tree.value)
        if tree in self._days:
            return self._days[tree]
        found = self._decided(at, "constraint", lambda: to_number(self._value(tree, row, at)), math.nan)
        if not paths_in(tree):
            self._days[tree] = found
        return found

    def _value(self, tree: Tree, row: Row, at: str) -> Value:
        return self._chart.value(tree, at, row, self._phone.facts)


def _days(text: str) -> float:
    """A number, or the days of a date that is written out."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return math.nan
    return (at - datetime(1970, 1, 1)) / timedelta(days=1)  # noqa: DTZ001 - days of a local date
