"""A comparison of two versions of a form as people read it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Final

from dialogkit.cli.printable import printable

if TYPE_CHECKING:
    from dialogkit.forms.compare import Comparison
    from dialogkit.forms.compare_kinds import Change

_LONGEST: Final = 48
_WORDS: Final = {
    "version_unchanged": "version",
    "choice_removed": "choice gone",
    "choice_recoded": "choice recoded",
    "choice_added": "choice added",
    "choice_order": "order",
    "choice_label": "label",
    "choice_extra": "choice",
    "constraint_message": "message",
    "default_language": "language",
    "perhaps_renamed": "perhaps",
    "media_removed": "removed",
    "media_added": "added",
    "media_changed": "changed",
}


def lines(comparison: Comparison) -> Iterator[str]:
    """What changed, by heading, what breaks under each change; then the count."""
    from dialogkit.forms.compare_kinds import KINDS

    headings = list(dict.fromkeys(KINDS.values()))
    place = {kind: (headings.index(heading), number) for number, (kind, heading) in enumerate(KINDS.items())}
    ordered = sorted(comparison.changes, key=lambda change: place[change.kind])
    for heading, changes in groupby(ordered, key=lambda change: KINDS[change.kind]):
        yield from _group(heading, list(changes))
    yield _count(comparison)


def _group(heading: str, changes: list[Change]) -> Iterator[str]:
    yield heading
    rows = [(_WORDS.get(change.kind, change.kind), _printable(change.path), _what(change)) for change in changes]
    kind, path = (max(len(row[column]) for row in rows) for column in (0, 1))
    for row, change in zip(rows, changes, strict=True):
        yield f"  {row[0]:<{kind}}  {row[1]:<{path}}  {row[2]}".rstrip()
        if change.breaks:
            yield f"  {'':<{kind}}  breaks: {_printable(change.breaks)}"
    yield ""


def _what(change: Change) -> str:
    if change.kind == "version_unchanged":
        return f"still {change.before or '(none)'}, although the form changed: raise it"
    if change.kind == "choice_order":
        return "the choices stand in another order"
    if change.kind == "order":
        return f"questions stand in another order, from here on (before: {change.before})"
    if change.kind in ("media_removed", "media_added", "media_changed"):
        return ""
    before, after = _short(_printable(change.before)), _short(_printable(change.after))
    if change.kind in ("removed", "added", "choice_removed", "choice_added"):
        return before or after
    return f"{before or '(none)'} → {after or '(none)'}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _printable(text: str) -> str:
    """In one line, without control characters: a workbook of somebody else could hold commands for the terminal."""
    return printable(" ".join(text.split()))


def _count(comparison: Comparison) -> str:
    if comparison.same:
        return "Nothing changed."
    changes, breaking = len(comparison.changes), len(comparison.breaking)
    said = f"{changes} change{'' if changes == 1 else 's'}"
    if not breaking:
        return f"{said}, none of which breaks answers, rules or findings."
    return f"{said}, {breaking} of which break{'s' if breaking == 1 else ''} answers, rules or findings."
