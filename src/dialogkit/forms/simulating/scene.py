"""A submission that is about to be broken, and what was done to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from dialogkit.forms.simulating.asked import Asked
from dialogkit.forms.simulating.judged import Offence
from dialogkit.forms.simulating.places import Place, places
from dialogkit.forms.simulating.walk import Phone
from dialogkit.logic.answers import Row
from dialogkit.logic.form_logic import FormLogic
from dialogkit.logic.parse import NotDecidable
from dialogkit.model.form import Form


@dataclass(frozen=True)
class Broken:
    """What was done.

    Args:
        expected: rules that must find it.
        kept: answers, by row and path, that stay although they are not asked.
        stale: whether calculations stay as they are.
        version: that the submission names now.
        unknown: name of a question that no version has.
    """

    expected: tuple[Offence, ...]
    kept: frozenset[tuple[str, str]] = frozenset()
    stale: bool = False
    version: str = ""
    unknown: str = ""


@dataclass(frozen=True)
class Scene:
    """A submission that is about to be broken."""

    form: Form
    logic: FormLogic
    asked: Asked
    root: Row
    phone: Phone
    rng: Random

    def places(self, *types: str, calculated: bool = False) -> list[Place]:
        """Every asked question of these types (of any, where none is named), in a random order."""
        found = [
            place
            for place in places(self.form, self.root)
            if (not types or place.question.type in types)
            and (place.question.path in self.asked.calculated) == calculated
            and place.question.path not in self.asked.filled
            and not self.logic.hidden(place.question.path, place.row)
        ]
        return self.rng.sample(found, len(found))

    def answered(self, *types: str) -> list[Place]:
        """Those that have an answer."""
        return [place for place in self.places(*types) if place.text]

    def first(self, found: Sequence[Place], rule: str, make: Callable[[Place], str | None]) -> Broken | None:
        """Write what `make` gives into the first place for which it gives something."""
        for place in found:
            text = make(place)
            if text is not None:
                place.row.values[place.question.path] = text
                return Broken((Offence(rule, place.question.path, place.row.label),))
        return None

    def allows(self, place: Place, text: str) -> bool | None:
        """What the constraint says of another answer; None where nobody can tell."""
        try:
            return self.logic.constraint(place.question.path, place.row, self.phone.facts, text)
        except NotDecidable:
            return None

    def refused(self, place: Place, texts: Sequence[str]) -> str | None:
        """One of the texts that the constraint does not allow."""
        fitting = [text for text in texts if self.allows(place, text) is False]
        return self.rng.choice(fitting) if fitting else None

    def offered(self, place: Place) -> list[str]:
        """The choices of a question here."""
        try:
            return list(self.logic.choices(place.question.path, place.row, self.phone.facts))
        except NotDecidable:
            return []

    def listed(self, place: Place) -> list[str]:
        """All choices of its list."""
        return [choice.name for choice in self.form.choice_lists.get(place.question.list_name, ())]
