"""The questions of all known versions of a form, as people name them in a correction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from dialogkit.model.form import Form, Question


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

    def find(self, given: str) -> Sequence[str]:
        """Newest paths of the questions that may be meant by a path, a leaf name or a column: one, when all is well."""
        given = given.strip("/")
        if given in self._every:
            return (self._newest(given),)
        leaves = dict.fromkeys(self._newest(path) for path in self._every if path.rpartition("/")[2] == given)
        if not leaves and self._columns.get(given) in self._every:
            return (self._newest(self._columns[given]),)
        return tuple(leaves)

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
        for path in self._every:
            if self._newest(path) == newest and (form is None or self._answers(form, path)):
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
