"""The changes of groups and repeats."""

from __future__ import annotations

from collections.abc import Iterator

from dialogkit.forms.compare_kinds import Change, change
from dialogkit.forms.compare_questions import texts
from dialogkit.model.form import Form, Section


def section_changes(old: Form, new: Form) -> Iterator[Change]:
    """Sections by path: gone, new, group instead of repeat or the other way round, logic and labels.

    What becomes of the questions in a section that is gone is said of the questions.
    """
    before = {section.path: section for section in old.sections}
    after = {section.path: section for section in new.sections}
    for path, section in before.items():
        if path not in after:
            yield change("removed", path, section.kind, "")
        else:
            yield from _one(section, after[path])
    for path, section in after.items():
        if path not in before:
            yield change("added", path, "", section.kind)


def _one(old: Section, new: Section) -> Iterator[Change]:
    if old.kind != new.kind:
        yield change("repeat", new.path, old.kind, new.kind, _breaks(old, new))
    if old.relevant != new.relevant:
        yield change("relevant", new.path, old.relevant, new.relevant)
    if old.repeat_count != new.repeat_count:
        yield change("repeat_count", new.path, old.repeat_count, new.repeat_count)
    yield from texts("label", new.path, old.labels, new.labels)


def _breaks(old: Section, new: Section) -> str:
    if old.kind == "repeat":
        return f"The rows of {old.path} that are stored stay in a table of their own; new answers go into another."
    return f"The answers in {new.path} that are stored stay where they are; new ones become rows of a table of its own."
