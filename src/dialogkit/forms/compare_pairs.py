"""Which question of the old form is which of the new one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from dialogkit.model.form import Form, Question


@dataclass(frozen=True, slots=True)
class Pair:
    """A question in both forms."""

    old: Question
    new: Question


@dataclass(frozen=True)
class Paired:
    """All questions of two forms.

    Args:
        pairs: the same question in both, in the order of the old form.
        removed, added: those of one form only.
        perhaps: of these, two that look alike; nobody said that they are the same.
    """

    pairs: tuple[Pair, ...]
    removed: tuple[Question, ...]
    added: tuple[Question, ...]
    perhaps: tuple[Pair, ...]
    new: Form

    @cached_property
    def place(self) -> Mapping[str, int]:
        """The place of each question in the new form, by path."""
        return {question.path: number for number, question in enumerate(self.new.questions)}


def was_of(form: Form) -> dict[str, str]:
    """Path → what the column `was` of the survey sheet says: the earlier name or path of the question."""
    return {question.path: question.was for question in form.questions if question.was}


def looks(question: Question) -> frozenset[tuple[str, ...]]:
    """What two questions that look alike have in common at least one of: concept, or type and label in a language."""
    labels = {(question.type, language, text) for language, text in question.labels.items() if text}
    return frozenset({*labels, (question.concept,)} if question.concept else labels)


def pair_up(old: Form, new: Form, was: Mapping[str, str]) -> Paired:
    """Pair by path, by `was`, by leaf name (moved), and by a concept that one question of each side has."""
    left = _Left(
        [question for question in old.questions if question.path not in new.by_path],
        [question for question in new.questions if question.path not in old.by_path],
    )
    pairs = [Pair(question, new.by_path[question.path]) for question in old.questions if question.path in new.by_path]
    pairs += left.take(lambda one, other: was.get(other.path, "") in (one.path, one.name))
    pairs += left.take(lambda one, other: one.name == other.name and one.type == other.type)
    pairs += left.take(lambda one, other: one.name == other.name)
    pairs += left.take(_one_concept(left))
    order = {question.path: number for number, question in enumerate(old.questions)}
    pairs.sort(key=lambda pair: order[pair.old.path])
    alike = _Left(list(left.old), list(left.new)).take(_alike)
    return Paired(tuple(pairs), tuple(left.old), tuple(left.new), tuple(alike), new)


@dataclass
class _Left:
    """The questions that have no partner yet."""

    old: list[Question]
    new: list[Question]

    def take(self, same: Callable[[Question, Question], bool]) -> list[Pair]:
        """Pair the first that are the same, and take them out."""
        pairs = []
        for one in list(self.old):
            other = next((other for other in self.new if same(one, other)), None)
            if other is not None:
                pairs.append(Pair(one, other))
                self.old.remove(one)
                self.new.remove(other)
        return pairs


def _one_concept(left: _Left) -> Callable[[Question, Question], bool]:
    """Whether two have a concept that no other question without partner has."""
    sides = [[question.concept for question in side] for side in (left.old, left.new)]
    alone = {concept for concept in sides[0] if concept and all(side.count(concept) == 1 for side in sides)}
    return lambda one, other: one.concept == other.concept and one.concept in alone


def _alike(one: Question, other: Question) -> bool:
    return not looks(one).isdisjoint(looks(other))
