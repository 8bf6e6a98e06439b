"""A difference between two versions of a form, and what reads stored answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dialogkit.model.form import Question

#: Every kind of change → the heading that it stands under for people, in their order.
KINDS: Final[Mapping[str, str]] = {
    "form_id": "Form",
    "version": "Form",
    "version_unchanged": "Form",
    "title": "Form",
    "languages": "Form",
    "default_language": "Form",
    "setting": "Form",
    "removed": "Removed",
    "perhaps_renamed": "Perhaps renamed (write the old name into a column “was” if so)",
    "added": "Added",
    "renamed": "Renamed",
    "moved": "Moved",
    "repeat": "Repeats",
    "repeat_count": "Repeats",
    "retyped": "Types",
    "list": "Choices",
    "choice_removed": "Choices",
    "choice_recoded": "Choices",
    "choice_added": "Choices",
    "choice_order": "Choices",
    "choice_extra": "Choices",
    "required": "Logic",
    "relevant": "Logic",
    "constraint": "Logic",
    "calculation": "Logic",
    "choice_filter": "Logic",
    "default": "Logic",
    "appearance": "Texts and looks",
    "order": "Texts and looks",
    "label": "Texts and looks",
    "hint": "Texts and looks",
    "constraint_message": "Texts and looks",
    "choice_label": "Texts and looks",
    "concept": "Concepts and disclosure",
    "disclosure": "Concepts and disclosure",
    "hxl": "Concepts and disclosure",
    "media_removed": "Media",
    "media_changed": "Media",
    "media_added": "Media",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Args:
        kind: one of `KINDS`.
        path: of the question or section in the new form (in the old one when it is gone), `list/code` of a choice,
            the name of a setting or file; empty for the form itself.
        before, after: as written in the workbooks; empty where there is nothing. Texts begin with their language.
        breaks: in plain words what stored answers, rules or findings lose by it; empty when nothing.
    """

    kind: str
    path: str
    before: str
    after: str
    breaks: str = ""


@dataclass(frozen=True)
class Uses:
    """What reads the stored answers of a form.

    Args:
        rules: code of a rule of the workspace → the columns and questions that it names.
        findings: id of a finding → the concepts that it reads.
    """

    rules: Mapping[str, frozenset[str]] = field(default_factory=dict)
    findings: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def rules_on(self, question: Question) -> str:
        """A sentence on the rules that name a question; empty when none does."""
        names = {question.name, question.path.replace("/", "__")}
        return _sentence("Rule", [code for code, named in self.rules.items() if named & names], "it")

    def findings_on(self, concept: str) -> str:
        """A sentence on the findings that read a concept; empty when none does."""
        return _sentence("Finding", [name for name, read in self.findings.items() if concept in read], concept)


def change(kind: str, path: str, before: str, after: str, *breaks: str) -> Change:
    """A change; the parts of `breaks` become one text."""
    return Change(kind, path, before, after, " ".join(filter(None, breaks)))


def _sentence(noun: str, names: list[str], what: str) -> str:
    if not names:
        return ""
    verb = "reads" if len(names) == 1 else "read"
    return f"{noun}{'' if len(names) == 1 else 's'} {', '.join(sorted(names))} {verb} {what}."
