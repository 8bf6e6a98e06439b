"""The changes of questions, and what each of them breaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from dialogkit.forms.compare_kinds import Change, Uses, change
from dialogkit.forms.compare_pairs import Pair
from dialogkit.model.form import Form, Question

#: Whatever was typed can be kept as a text.
_TEXTS: Final = frozenset({"text", "calculate", "hidden", "barcode"})
_WRITTEN: Final = (
    "required",
    "relevant",
    "constraint",
    "calculation",
    "choice_filter",
    "default",
    "appearance",
    "disclosure",
    "hxl",
)
_STAY: Final = "What is stored stays in the column of {old}; new answers go into another, that of {new}."


def gone(question: Question, new: Form, uses: Uses) -> Change:
    """A question that the new form does not have."""
    if not question.has_answer:
        return change("removed", question.path, question.type, "")
    stored = "Its column stays, and new submissions leave it empty."
    found = [stored, uses.rules_on(question), vanished(question.concept, new, uses)]
    return change("removed", question.path, question.type, "", *found)


def added(question: Question) -> Change:
    """A question that the old form does not have."""
    required = ", required" if question.required else ""
    return change("added", question.path, "", f"{question.type}{required}")


def moved(pair: Pair, new: Form, uses: Uses) -> Change:
    """A question at another path: in another section under its name, or under another name."""
    kind = "moved" if pair.old.name == pair.new.name else "renamed"
    if not pair.old.has_answer:
        return change(kind, pair.new.path, pair.old.path, pair.new.path)
    stored = _STAY.format(old=pair.old.path, new=pair.new.path)
    found = [stored, uses.rules_on(pair.old)]
    if pair.new.concept == pair.old.concept:
        found.append(vanished(pair.old.concept, new, uses))
    return change(kind, pair.new.path, pair.old.path, pair.new.path, *found)


def retyped(pair: Pair, uses: Uses) -> Change:
    """A question with another type."""
    old, new = pair.old, pair.new
    if not old.has_answer or new.type in _TEXTS:
        return change("retyped", new.path, old.type, new.type)
    if not new.has_answer:
        stored = "It takes no answers any more: its column stays, and new submissions leave it empty."
    else:
        stored = f"Answers of type {old.type} that are stored cannot be read as {new.type}: they keep their own column."
    return change("retyped", new.path, old.type, new.type, stored, uses.rules_on(old))


def facets(pair: Pair, new: Form, uses: Uses) -> Iterator[Change]:
    """Logic, texts, concept and disclosure of a question that is in both forms."""
    path = pair.new.path
    for name in _WRITTEN:
        before, after = getattr(pair.old, name), getattr(pair.new, name)
        if before != after:
            yield change(name, path, before, after)
    if pair.old.concept != pair.new.concept:
        lost = vanished(pair.old.concept, new, uses)
        yield change("concept", path, pair.old.concept, pair.new.concept, lost)
    yield from texts("label", path, pair.old.labels, pair.new.labels)
    yield from texts("hint", path, pair.old.hints, pair.new.hints)
    yield from texts("constraint_message", path, pair.old.constraint_messages, pair.new.constraint_messages)


def texts(kind: str, path: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    """One change for each language in which a text differs."""
    for language in dict.fromkeys((*old, *new)):
        before, after = old.get(language, ""), new.get(language, "")
        if before != after:
            yield change(kind, path, _in(language, before), _in(language, after))


def vanished(concept: str, new: Form, uses: Uses) -> str:
    """What a concept that no question of the new form measures takes from findings."""
    return "" if not concept or concept in new.by_concept else uses.findings_on(concept)


def _in(language: str, text: str) -> str:
    return f"{language}: {text}" if language and text else text
