"""Why an unknown path may be unknown, and what to do: a guess for a person, never a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from shlex import quote
from typing import Final, Literal

from dialogkit.model.form import Form
from dialogkit.warehouse.drift import DriftPath

Why = Literal["another_form", "unknown_version", "section", "renamed", "unknown"]
#: How alike two names must be to be taken for one.
_ALIKE: Final = 0.75


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What an unknown path may be.

    Args:
        why: in one word.
        text: in plain words.
        fix: what to do now.
        now: the path that the question may have now; empty where there is no guess.
        form: the form that the submissions may belong to; empty likewise.
    """

    why: Why
    text: str
    fix: str
    now: str = ""
    form: str = ""


def suggest(
    entries: Sequence[DriftPath], latest: Mapping[str, Form], known: Mapping[str, frozenset[str]]
) -> list[Suggestion]:
    """A suggestion for each entry, in their order.

    Args:
        entries: of `read_drift`.
        latest: form_id → its newest version, for forms that have one here.
        known: form_id → every path of it that has a column, for all forms.
    """
    paths: dict[str, set[str]] = {}
    for entry in entries:
        paths.setdefault(entry.form_id, set()).add(entry.path)
    return [_suggest(entry, paths[entry.form_id], latest.get(entry.form_id), known) for entry in entries]


def _suggest(entry: DriftPath, paths: set[str], form: Form | None, known: Mapping[str, frozenset[str]]) -> Suggestion:
    if other := _other_form(entry, paths, known):
        return _another_form(entry, other)
    if form is not None and any(section.path == entry.path for section in form.sections):
        return Suggestion(
            "section",
            "A section of the form, not a question: there is a value where its questions were expected.",
            f"See how the versions differ: dialogkit form lineage {entry.form_id}",
        )
    now = _now_called(entry, _asked(form) if form else sorted(known.get(entry.form_id, ())))
    if now:
        return _renamed(entry, now)
    if entry.unknown_versions:
        return _unknown_version(entry)
    return Suggestion(
        "unknown",
        "No question here has a name like it.",
        "Ask who changed the form on the phones; the answers stay in ops.drift of the warehouse.",
    )


def _another_form(entry: DriftPath, other: str) -> Suggestion:
    return Suggestion(
        "another_form",
        f"Another form? Most answers of these submissions are unknown here, and {other} knows most of the paths.",
        f"Look at the form_id that these phones send; it may have to be {other}.",
        form=other,
    )


def _renamed(entry: DriftPath, now: str) -> Suggestion:
    return Suggestion(
        "renamed",
        f"Perhaps renamed: now called {now}.",
        f"If the two are one question: dialogkit form lineage {entry.form_id} --same {quote(entry.path)} {quote(now)} "
        f"(or write {_leaf(entry.path)} into the column “was” of that question), "
        "then: dialogkit land --rebuild",
        now=now,
    )


def _unknown_version(entry: DriftPath) -> Suggestion:
    versions = ", ".join(version or "(none)" for version in entry.unknown_versions)
    return Suggestion(
        "unknown_version",
        f"A question of a version that nobody here knows: {versions}.",
        f"Get the workbook of that version, name it in [forms.{entry.form_id}] and bring it in with dialogkit deploy "
        "or dialogkit pull; then: dialogkit land --rebuild",
    )


def _other_form(entry: DriftPath, paths: set[str], known: Mapping[str, frozenset[str]]) -> str:
    """The form that knows most of the unknown paths, when these submissions have hardly anything else."""
    if entry.strangers * 2 <= entry.submissions:
        return ""
    shares = {form_id: len(paths & there) for form_id, there in known.items() if form_id != entry.form_id}
    best = max(sorted(shares), key=lambda form_id: shares[form_id], default="")
    return best if best and shares[best] * 2 > len(paths) else ""


def _asked(form: Form) -> list[str]:
    return [question.path for question in form.questions if question.has_answer]


def _now_called(entry: DriftPath, asked: Sequence[str]) -> str:
    """A question with the same leaf name, the same in another case, or a close one."""
    leaves: dict[str, list[str]] = {}
    for path in asked:
        leaves.setdefault(_leaf(path).lower(), []).append(path)
    alike = get_close_matches(_leaf(entry.path).lower(), leaves, n=1, cutoff=_ALIKE)
    if not alike:
        return ""
    return max(leaves[alike[0]], key=lambda path: SequenceMatcher(None, path, entry.path).ratio())


def _leaf(path: str) -> str:
    return path.rsplit("/", 1)[-1]
