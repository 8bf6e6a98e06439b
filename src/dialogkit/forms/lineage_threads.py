"""A question over the versions of a form: where it stood, under which names, and what of it has to be asked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from dialogkit.model.form import Form, Question


@dataclass(frozen=True)
class Version:
    """A version of a form and its place among the versions, from 0."""

    position: int
    form: Form

    @cached_property
    def concepts(self) -> Counter[str]:
        """How many questions measure each concept."""
        return Counter(question.concept for question in self.form.questions if question.concept)


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a question stood in one version, and how it is known that it is the same."""

    version: Version
    question: Question
    because: str

    @property
    def repeat(self) -> str:
        """The innermost repeat that it stood in."""
        return self.version.form.repeat_of(self.question.path)


@dataclass(eq=False)
class Thread:
    """One question over the versions: where it stood, oldest first. Several names, one question."""

    stands: list[Stand] = field(default_factory=list)

    @property
    def last(self) -> Stand:
        """Where it stood last."""
        return self.stands[-1]

    @property
    def paths(self) -> list[str]:
        """Its paths, each once, oldest first."""
        return list(dict.fromkeys(stand.question.path for stand in self.stands))


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that may be `thread` under another name; somebody has to say."""

    thread: Thread
    path: str
    because: str = ""
    detail: str = ""


@dataclass
class Threads:
    """All questions of all versions.

    Args:
        versions: oldest first.
        all: every thread, in the order in which they began.
        of: (position of the version, path) → thread.
        asked: (position of the version, path) → which earlier questions it may be.
        remarks: (position of the version, path) → why its `was` could not be followed.
    """

    versions: Sequence[Version]
    all: list[Thread] = field(default_factory=list)
    of: dict[tuple[int, str], Thread] = field(default_factory=dict)
    asked: dict[tuple[int, str], list[Asked]] = field(default_factory=lambda: defaultdict(list))
    remarks: dict[tuple[int, str], str] = field(default_factory=dict)
