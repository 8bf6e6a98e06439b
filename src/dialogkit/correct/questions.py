"""The questions of all known versions of a form, as people name them in a correction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Final

from dialogkit.model.form import Form, Question

#: A name that is compared with others.
_LONGEST: Final = 200
_SLIPS: Final = 100


class Questions:
    """Finds the question that a correction means, and where it stands in each version.

    Args:
        forms: by version, oldest first.
        same: earlier path of a question → its newest (`model.lineage.Lineage.same`).
        columns: name of a column of our tables → path.
    """

    def __init__(self, forms: Mapping[str, Form], same: Mapping[str, str], columns: Mapping[str, str]) -> None:
        self._forms, self._same, self._columns = forms, same, columns
        self._newest_first = tuple(forms.values())[::-1]
        self._near: dict[str, str] = {}

    def find(self, given: str) -> Sequence[str]:
        """Newest paths of the questions that may be meant by a path, a leaf name or a column: one, when all is well."""
        given = given.strip("/")
        if given in self._every:
            return (self._newest(given),)
        leaves = self._leaves.get(given, ())
        if not leaves and self._columns.get(given) in self._every:
            return (self._newest(self._columns[given]),)
        return leaves

    def near(self, given: str) -> str:
        """The path or leaf name that somebody may have meant by a name of no question; empty for none."""
        # Longer texts are no slips of the pen, and neither are hundreds of names: comparing takes long.
        if given not in self._near and len(given) <= _LONGEST and len(self._near) < _SLIPS:
            names = dict.fromkeys((*self._leaves, *self._every))
            self._near[given] = next(iter(get_close_matches(given.strip("/"), names, 1)), "")
        return self._near.get(given, "")

    def newest(self, given: str) -> str:
        """The newest path of a question, or what was given when none or several are meant."""
        found = self.find(given)
        return found[0] if len(found) == 1 else given

    def short(self, path: str) -> str:
        """The leaf name where it means this question alone, else the path."""
        leaf = path.rpartition("/")[2]
        return leaf if self.find(leaf) == (self._newest(path),) else path

    def in_edition(self, given: str, version: str) -> Iterator[str]:
        """Paths under which an edition of this form version may answer a question; none when it is not asked there."""
        newest = self.newest(given)
        form = self._forms.get(version)
        for path in self._editions.get(newest, ()):
            if form is None or self._answers(form, path):
                yield path

    def of(self, path: str, version: str) -> tuple[Form, Question] | None:
        """The question at a path and the form that asks it: in this version, else in the latest that does."""
        for form in (self._forms.get(version), *self._newest_first):
            if form and path in form.by_path:
                return form, form.by_path[path]
        return None

    def is_protected(self, path: str) -> bool:
        """Whether it is the participant's word on consent, or tells where a record comes from: never corrected."""
        return path in self._protected

    @cached_property
    def _every(self) -> Mapping[str, None]:
        """Every path that has an answer, newest version first."""
        questions = (question for form in self._newest_first for question in form.questions)
        return dict.fromkeys(question.path for question in questions if question.has_answer)

    @cached_property
    def _leaves(self) -> Mapping[str, tuple[str, ...]]:
        """Leaf name → newest paths of the questions that have it."""
        return _grouped((path.rpartition("/")[2], self._newest(path)) for path in self._every)

    @cached_property
    def _editions(self) -> Mapping[str, tuple[str, ...]]:
        """Newest path of a question → all its paths."""
        return _grouped((self._newest(path), path) for path in self._every)

    @cached_property
    def _protected(self) -> frozenset[str]:
        return frozenset(
            question.path
            for form in self._forms.values()
            for question in form.questions
            if question.concept.startswith("consent.") or question.concept == "meta.source_ref"
        )

    def _newest(self, path: str) -> str:
        return self._same.get(path, path)

    @staticmethod
    def _answers(form: Form, path: str) -> bool:
        question = form.by_path.get(path)
        return question is not None and question.has_answer


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for name, path in pairs:
        found.setdefault(name, {})[path] = None
    return {name: tuple(paths) for name, paths in found.items()}
