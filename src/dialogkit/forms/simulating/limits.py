"""What is wanted of one value, as bounds, lengths, patterns and what must be in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from dialogkit.forms.simulating.goals import Want
from dialogkit.logic.tree import Tree

#: The number that a tree gives now (days of a date), nan where it is none; and its text.
Numbers = Callable[[Tree], float]
Texts = Callable[[Tree], str]


@dataclass
class Bounds:
    """A range of numbers; an end that is `open` is not in it."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def add(self, sign: str, number: float) -> None:
        """Make it narrower by a comparison."""
        if sign in (">", ">=", "=") and number >= self.low:
            self.low_open = sign == ">" or (self.low_open and number == self.low)
            self.low = number
        if sign in ("<", "<=", "=") and number <= self.high:
            self.high_open = sign == "<" or (self.high_open and number == self.high)
            self.high = number

    def holds(self, number: float) -> bool:
        """Whether a number lies in it."""
        above = number > self.low if self.low_open else number >= self.low
        return above and (number < self.high if self.high_open else number <= self.high)

    def whole(self, low: int, high: int) -> tuple[int, int]:
        """The ends of a range of whole numbers; `low` and `high` stand in for ends that it has not."""
        first = math.floor(self.low) + 1 if self.low_open else math.ceil(self.low) if self.low > -math.inf else None
        last = math.ceil(self.high) - 1 if self.high_open else math.floor(self.high) if self.high < math.inf else None
        if first is None and last is None:
            return low, high
        if first is None:
            return min(low, last if last is not None else low), last if last is not None else high
        return first, last if last is not None else max(high, first + high - low)


@dataclass
class Limits:
    """Everything that is wanted of one value.

    Args:
        value, length, count: bounds of the number (or day), of the length, of how many are selected.
        equal: the value must be one of these texts; empty: any.
        unequal: it must be none of these.
        selected, unselected: choices.
        pattern, starts, contains, ends: of texts.
        answered: False: it should be left blank; True: it must not be.
    """

    value: Bounds = field(default_factory=Bounds)
    length: Bounds = field(default_factory=Bounds)
    count: Bounds = field(default_factory=Bounds)
    equal: list[str] = field(default_factory=list)
    unequal: set[str] = field(default_factory=set)
    selected: list[str] = field(default_factory=list)
    unselected: set[str] = field(default_factory=set)
    pattern: str = ""
    starts: str = ""
    contains: str = ""
    ends: str = ""
    answered: bool | None = None

    @property
    def numeric(self) -> bool:
        """Whether a number is asked for, whatever the type."""
        return self.value.low > -math.inf or self.value.high < math.inf


def limits_of(wants: Iterable[Want], number: Numbers, text: Texts) -> Limits:
    """All wants of one answer together; one that compares with nothing is left out."""
    limits = Limits()
    for want in wants:
        if want.of == "value":
            _value(limits, want, number, text)
        else:
            found = number(want.other)
            if not math.isnan(found) and want.sign != "!=":
                (limits.length if want.of == "length" else limits.count).add(want.sign, found)
                # A bound that is met by nothing does not ask for an answer.
                limits.answered = True if want.sign in (">", ">=", "=") and found > 0 else limits.answered
    return limits


def _value(limits: Limits, want: Want, number: Numbers, text: Texts) -> None:
    if want.sign in ("<", "<=", ">", ">="):
        found = number(want.other)
        if not math.isnan(found):
            limits.value.add(want.sign, found)
            limits.answered = True
        return
    written = text(want.other)
    if want.sign == "=":
        limits.answered = written != ""
        limits.equal += [written] if written else []
        found = number(want.other) if written else math.nan
        if not math.isnan(found):
            limits.value.add("=", found)
    elif want.sign == "!=":
        limits.answered = True if not written else limits.answered
        limits.unequal.add(written)
    else:
        _part(limits, want.sign, written)


def _part(limits: Limits, sign: str, written: str) -> None:
    if sign == "selected":
        limits.selected.append(written)
    elif sign == "not selected":
        limits.unselected.add(written)
    elif sign == "regex":
        limits.pattern = limits.pattern or written
    elif sign == "starts":
        limits.starts = written
    elif sign == "contains":
        limits.contains = written
    else:
        limits.ends = written
    if sign != "not selected":
        limits.answered = True
