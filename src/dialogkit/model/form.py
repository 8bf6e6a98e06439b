"""A form as the rest of dialogkit sees it: questions, sections and choice lists of one version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

from dialogkit.problem import Problem

#: Questions of these types show something or hold nothing: they have no answer.
WITHOUT_ANSWER = frozenset({"note", "trigger_note"})
#: Types of questions that are answered with choices.
SELECT_TYPES: Final = frozenset({"select_one", "select_multiple", "rank"})
#: Answers of these types name a file that belongs to the submission.
FILE_TYPES = frozenset({"image", "photo", "audio", "video", "file", "audit", "background-audio"})
#: KoboToolbox discards form_id and version, so our copy there carries them in two calculated questions of these names.
CARRIED_ID: Final = "dialogkit_form_id"
CARRIED_VERSION: Final = "dialogkit_form_version"


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry of a choice list: its stored code, its labels by language, and the other columns of its row."""

    name: str
    labels: Mapping[str, str]
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """A group or a repeat. `path` has no leading slash: `g_main/g_event`."""

    kind: Literal["group", "repeat"]
    name: str
    path: str
    labels: Mapping[str, str]
    relevant: str = ""
    repeat_count: str = ""
    row: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """A row of the survey sheet that asks, calculates or notes.

    Args:
        name: the leaf name.
        path: the leaf with its groups and repeats, no leading slash: `g_main/g_event/country`.
        type: one word without the list: `text`, `integer`, `select_one`, `select_multiple`, `rank`, `calculate`,
            `note`, `start`, `geopoint`... (pyxform's aliases are resolved).
        list_name: the choice list of a select; empty otherwise.
        labels, hints, constraint_messages: by language; the key is `""` where the sheet names no language.
        required, relevant, constraint, calculation, choice_filter: as written in the sheet (`${name}` references).
        concept: the shared variable that it measures, such as `barrier.type`; empty when it has none.
        disclosure: `direct`, `indirect`, `free_text` or `none`; empty when nobody has classed it.
        hxl: the HXL tag.
        trigger: the question whose change makes the calculation run (`${name}`); empty when it always runs.
        parameters: of the type, as written: `value=code label=name`, `start=0 end=10 step=1`.
        was: the name or path that it had in an earlier version (column `was` of the sheet); empty otherwise.
        row: its row in the survey sheet, counted as in a spreadsheet (the header is row 1); 0 when unknown.
    """

    name: str
    path: str
    type: str
    list_name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)
    constraint_messages: Mapping[str, str] = field(default_factory=dict)
    required: str = ""
    relevant: str = ""
    constraint: str = ""
    calculation: str = ""
    choice_filter: str = ""
    appearance: str = ""
    default: str = ""
    concept: str = ""
    disclosure: str = ""
    hxl: str = ""
    was: str = ""
    row: int = 0
    trigger: str = ""
    parameters: str = ""

    @property
    def has_answer(self) -> bool:
        """Whether a submission can hold a value for it."""
        return self.type not in WITHOUT_ANSWER


@dataclass(frozen=True)
class Form:
    """One version of a form. Order of `questions` and `sections` is that of the survey sheet."""

    form_id: str
    version: str
    title: str
    languages: tuple[str, ...]
    default_language: str
    questions: tuple[Question, ...]
    sections: tuple[Section, ...]
    choice_lists: Mapping[str, tuple[Choice, ...]]
    settings: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_path(self) -> Mapping[str, Question]:
        """Questions by full path."""
        return {question.path: question for question in self.questions}

    @cached_property
    def by_concept(self) -> Mapping[str, Question]:
        """The first question that measures each concept."""
        found: dict[str, Question] = {}
        for question in self.questions:
            if question.concept:
                found.setdefault(question.concept, question)
        return found

    @cached_property
    def file_paths(self) -> frozenset[str]:
        """Paths of the questions that are answered with a file."""
        return frozenset(question.path for question in self.questions if question.type in FILE_TYPES)

    @cached_property
    def repeats(self) -> frozenset[str]:
        """Paths of all repeats."""
        return frozenset(section.path for section in self.sections if section.kind == "repeat")

    def named(self, name: str) -> tuple[Question, ...]:
        """Every question with this leaf name (a leaf may stand in several groups)."""
        return tuple(question for question in self.questions if question.name == name)

    def repeat_of(self, path: str) -> str:
        """The innermost repeat that holds `path` (not `path` itself), or `""` for the main table."""
        parts = path.split("/")[:-1]
        while parts:
            above = "/".join(parts)
            if above in self.repeats:
                return above
            parts.pop()
        return ""

    def sections_above(self, path: str) -> tuple[Section, ...]:
        """The groups and repeats that hold `path`, outermost first."""
        return tuple(section for section in self.sections if path.startswith(section.path + "/"))

    def to_json(self) -> dict[str, Any]:
        """A plain dict that `from_json` reads back into an equal form."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Form:
        """The form that `to_json` wrote."""
        lists = {name: tuple(Choice(**choice) for choice in choices) for name, choices in data["choice_lists"].items()}
        return cls(
            form_id=data["form_id"],
            version=data["version"],
            title=data["title"],
            languages=tuple(data["languages"]),
            default_language=data["default_language"],
            questions=tuple(Question(**question) for question in data["questions"]),
            sections=tuple(Section(**section) for section in data["sections"]),
            choice_lists=lists,
            settings=dict(data["settings"]),
        )


@dataclass(frozen=True)
class BuiltForm:
    """A form with the XForm that phones load.

    Args:
        form: what was read from the workbook, with the team's own constants filled in.
        xml: the XForm, exactly the bytes that are served.
        media: file name → file on disk, for the media that the form refers to and that were found.
        problems: warnings of the build; errors are raised instead.
    """

    form: Form
    xml: bytes
    media: Mapping[str, Path] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
