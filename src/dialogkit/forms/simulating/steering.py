"""Which answers lead to a question: a search backwards through relevance, calculations and choice filters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from dialogkit.forms.simulating.chart import Chart, choice_columns
from dialogkit.forms.simulating.goals import Goals, Impossible, Want, written
from dialogkit.logic.parse import Number, Text
from dialogkit.logic.tree import Column, Function, Minus, Operation, Tree
from dialogkit.model.form import Question

#: Questions that a plan looks back through; forms of thousands of questions stay quick.
_MOST: Final = 80


@dataclass
class Plan:
    """What should hold of the answers of one submission.

    Args:
        wants: by path of the question.
        rows: repeats that need a row.
    """

    wants: dict[str, list[Want]] = field(default_factory=dict)
    rows: set[str] = field(default_factory=set)


class Steering:
    """Makes plans for one form; it is also what `Goals` knows of the form."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart
        self._form, self._asked = chart.form, chart.asked
        self._codes = {question.path: self._known_codes(question) for question in self._form.questions}

    def calculation(self, path: str) -> Tree | None:
        """As `Known`."""
        return self._chart.tree(path, "calculation") if path in self._asked.calculated else None

    def fixed(self, path: str) -> str | None:
        """As `Known`: a question without a control, or one that only shows."""
        if path not in self._form.by_path or path in self._asked.calculated or path in self._asked.filled:
            return None
        if path in self._asked.shown and path not in self._asked.readonly:
            return None
        return None if self._chart.tree(path, "default") else self._asked.first.get(path, "")

    def codes(self, path: str) -> frozenset[str] | None:
        """As `Known`."""
        return self._codes.get(path)

    def plan(self, target: str, rng: Random) -> Plan:
        """A plan that leads to a question or section.

        Raises:
            Impossible: this way there is none; another throw of the dice may find one.
        """
        goals, plan = Goals(rng, self), self.adrift(rng)
        waiting, seen = [target], {target}
        while waiting and len(seen) < _MOST:
            for want in map(self._of_rows, self._towards(waiting.pop(), goals, plan)):
                if want not in plan.wants.setdefault(want.path, []):
                    plan.wants[want.path].append(want)
                if want.path not in seen and not _asks_for_nothing(want):
                    seen.add(want.path)
                    waiting.append(want.path)
        return plan

    def adrift(self, rng: Random) -> Plan:
        """A plan that leads nowhere, and only keeps the constraints of calculations: others must meet them."""
        goals, plan = Goals(rng, self), Plan()
        for question in self._form.questions:
            tree = self._chart.tree(question.path, "constraint")
            if tree is not None and question.path in self._asked.calculated:
                with suppress(Impossible):
                    for want in goals.of(tree):
                        plan.wants.setdefault(want.path, []).append(want)
        return plan

    def reason(self, target: str, rng: Random) -> str:
        """Why no plan leads there; empty where one does."""
        reasons = []
        for _ in range(40):
            try:
                self.plan(target, rng)
            except Impossible as error:
                reasons.append(error.reason)
            else:
                return ""
        return max(sorted(set(reasons)), key=reasons.count)

    def _of_rows(self, want: Want) -> Want:
        """A number of rows is wanted of the repeat."""
        if want.of != "rows" or want.path in self._form.repeats:
            return want
        return replace(want, path=self._form.repeat_of(want.path))

    def _towards(self, path: str, goals: Goals, plan: Plan) -> Iterator[Want]:
        for tree in self._chart.relevances(path):
            yield from self._with_filters(goals.of(tree), goals)
        for section in self._form.sections_above(f"{path}/"):
            if section.kind == "repeat":
                plan.rows.add(section.path)
                count = self._chart.tree(section.path, "repeat_count")
                if count is not None:
                    yield from goals.of(Operation(">", count, Number("0")))

    def _with_filters(self, wants: list[Want], goals: Goals) -> Iterator[Want]:
        """A choice that is wanted must be offered: what its filter reads is wanted too."""
        for want in wants:
            yield want
            tree = self._chart.tree(want.path, "choice_filter")
            if tree is None or want.sign not in ("=", "selected") or not isinstance(want.other, Number | Text):
                continue
            columns = choice_columns(self._form, self._form.by_path[want.path]).get(written(want.other))
            if columns is not None:
                yield from goals.of(_of_choice(tree, columns))

    def _known_codes(self, question: Question) -> frozenset[str] | None:
        choices = self._form.choice_lists.get(question.list_name)
        if not choices or question.type not in ("select_one", "select_multiple", "rank"):
            return None
        return frozenset(choice.name for choice in choices)


def _asks_for_nothing(want: Want) -> bool:
    """Whether a blank does: `${x} = ''`."""
    blank = isinstance(want.other, Text) and not want.other.value
    return want.sign == "not selected" or (want.sign == "=" and blank) or (want.sign == "!=" and not blank)


def _of_choice(tree: Tree, columns: Mapping[str, str]) -> Tree:
    """A filter with the columns of one choice written in."""
    match tree:
        case Column(name):
            return Text(columns.get(name, ""))
        case Operation(sign, left, right):
            return Operation(sign, _of_choice(left, columns), _of_choice(right, columns))
        case Function(name, arguments):
            return Function(name, tuple(_of_choice(one, columns) for one in arguments))
        case Minus(of):
            return Minus(_of_choice(of, columns))
    return tree
