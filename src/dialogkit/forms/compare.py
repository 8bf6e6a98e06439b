"""What changed between two versions of a form, and what of it breaks answers, rules and findings that there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from dialogkit.forms.compare_choices import choice_changes, list_change
from dialogkit.forms.compare_kinds import Change, Uses, change
from dialogkit.forms.compare_pairs import Paired, pair_up
from dialogkit.forms.compare_questions import added, facets, gone, moved, retyped
from dialogkit.forms.compare_sections import section_changes
from dialogkit.forms.parse import AUDIT
from dialogkit.model.form import Form, Question

#: A person at the phone never meets these, so they need no new version.
UNSEEN: Final = frozenset({"concept", "disclosure", "hxl"})
_NO_SETTINGS: Final = frozenset({"form_id", "id_string", "version", "form_title", "title", "default_language", AUDIT})
#: An address to send to can hold a key.
_SECRET_SETTINGS: Final = frozenset({"submission_url"})


@dataclass(frozen=True)
class Comparison:
    """Two versions of a form and every difference between them, those of the whole form first."""

    old: Form
    new: Form
    changes: tuple[Change, ...]

    @property
    def same(self) -> bool:
        """Whether there is no difference at all."""
        return not self.changes

    @property
    def breaking(self) -> tuple[Change, ...]:
        """The changes that break something."""
        return tuple(one for one in self.changes if one.breaks)


@dataclass(frozen=True)
class Beside:
    """What belongs to the comparison and is not in the forms.

    Args:
        was: path of a question of the new form → the name or path that it had (the column `was` of its workbook).
        old_media, new_media: file name → hash, of the same kind on both sides; None where those of one side are not
            known.
        uses: what reads the stored answers.
    """

    was: Mapping[str, str]
    old_media: Mapping[str, str] | None = None
    new_media: Mapping[str, str] | None = None
    uses: Uses = field(default_factory=Uses)


NOTHING_BESIDE: Final = Beside({})


def compare(old: Form, new: Form, beside: Beside = NOTHING_BESIDE) -> Comparison:
    """Every difference from `old` to `new`. A rename is taken for one only where `was` or the concept says so."""
    paired = pair_up(old, new, beside.was)
    found = [
        *_whole_form(old, new),
        *section_changes(old, new),
        *_question_changes(old, new, paired, beside.uses),
        *_order(paired),
        *choice_changes(old, new, paired),
        *_media(beside),
    ]
    return Comparison(old, new, (*_version(old, new, found), *found))


def _version(old: Form, new: Form, found: list[Change]) -> Iterator[Change]:
    if old.version != new.version:
        yield change("version", "", old.version, new.version)
    elif any(one.kind not in UNSEEN for one in found):
        yield change("version_unchanged", "", old.version, new.version)


def _whole_form(old: Form, new: Form) -> Iterator[Change]:
    if old.form_id != new.form_id:
        breaks = "It is another form for servers and tables: nothing that is stored belongs to it."
        yield change("form_id", "", old.form_id, new.form_id, breaks)
    if old.title != new.title:
        yield change("title", "", old.title, new.title)
    if old.languages != new.languages:
        yield change("languages", "", _languages(old), _languages(new))
    if old.default_language != new.default_language:
        yield change("default_language", "", old.default_language, new.default_language)
    for name in sorted((old.settings.keys() | new.settings.keys()) - _NO_SETTINGS):
        before, after = old.settings.get(name, ""), new.settings.get(name, "")
        if before != after:
            shown = (before, after) if name not in _SECRET_SETTINGS else (before and "(one)", after and "(another)")
            yield change("setting", name, *shown)
    if old.settings.get(AUDIT) != new.settings.get(AUDIT):
        yield change("setting", AUDIT, *(_audit(form) for form in (old, new)))


def _audit(form: Form) -> str:
    return (form.settings[AUDIT] or "yes") if AUDIT in form.settings else ""


def _languages(form: Form) -> str:
    return ", ".join(language or "(not named)" for language in form.languages)


def _question_changes(old: Form, new: Form, paired: Paired, uses: Uses) -> Iterator[Change]:
    for question in paired.removed:
        yield gone(question, new, uses)
    for pair in paired.perhaps:
        yield change("perhaps_renamed", pair.new.path, pair.old.path, pair.new.path)
    for question in paired.added:
        yield added(question)
    for pair in paired.pairs:
        if pair.old.path != pair.new.path:
            yield moved(pair, new, uses)
        if pair.old.type != pair.new.type:
            yield retyped(pair, uses)
        yield from list_change(pair, old, new)
        yield from facets(pair, new, uses)


def _order(paired: Paired) -> Iterator[Change]:
    """One change where questions that stayed stand in another order; which one went where, nobody can say."""
    stayed = [pair for pair in paired.pairs if pair.old.path == pair.new.path]
    before = [pair.old for pair in stayed]
    after: list[Question] = [pair.new for pair in sorted(stayed, key=lambda pair: paired.place[pair.new.path])]
    differ = [(one, other) for one, other in zip(before, after, strict=True) if one.path != other.path]
    if differ:
        yield change("order", differ[0][1].path, differ[0][0].path, differ[0][1].path)


def _media(beside: Beside) -> Iterator[Change]:
    if beside.old_media is None or beside.new_media is None:
        return
    for name in sorted(beside.old_media.keys() | beside.new_media.keys()):
        before, after = beside.old_media.get(name, ""), beside.new_media.get(name, "")
        if before != after:
            kind = "media_changed" if before and after else "media_added" if after else "media_removed"
            yield change(kind, name, before[:12], after[:12])
