"""The lineage map of a form: what each of its versions did to each question, and which paths can share a column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dialogkit.forms.decided import Decided
from dialogkit.forms.lineage_match import threads_of
from dialogkit.forms.lineage_sharing import Sharing, sharing_of
from dialogkit.forms.lineage_threads import Stand, Thread, Threads, Version
from dialogkit.model.form import Form
from dialogkit.model.lineage import Fate, Lineage, Step

_SHOWN: Final = 12


def lineage_of(versions: Sequence[Form], decided: Decided) -> Lineage:
    """What happened to every question over the versions of a form.

    A question is the same as one before when it has the same path, when a person said so (in the decisions, or in the
    column `was` of the sheet), when it alone kept its name and type in another section, or when it alone measures a
    concept. Whatever only looks alike is a step `perhaps_renamed`: it is asked, never guessed.

    Args:
        versions: oldest first.
        decided: what people answered to such questions.
    """
    threads = threads_of(versions, decided)
    sharing = sharing_of(threads, decided)
    steps = [step for version in threads.versions for step in _steps(threads, version, sharing)]
    return Lineage(tuple(steps), sharing.same)


def _steps(threads: Threads, version: Version, sharing: Sharing) -> Iterator[Step]:
    """What a version did: to each of its questions in the order of the sheet, then to those that it leaves out."""
    here = version.position
    for path in version.form.by_path:
        thread = threads.of[here, path]
        place = next(number for number, stand in enumerate(thread.stands) if stand.version is version)
        if place:
            yield from _changes(threads, thread, place, sharing)
        else:
            yield _step(version, path, "first", detail=threads.remarks.get((here, path), ""))
            yield from _questions(threads, version, path)
    if here:
        before = threads.versions[here - 1]
        stayed = {threads.of[here, path] for path in version.form.by_path}
        for path in before.form.by_path:
            if threads.of[before.position, path] not in stayed:
                yield _step(version, path, "removed")


def _questions(threads: Threads, version: Version, path: str) -> Iterator[Step]:
    """What somebody has to say of a new question. Two that stand in one version are not the same: nothing to ask."""
    thread = threads.of[version.position, path]
    here = {stand.version.position for stand in thread.stands}
    for asked in threads.asked.get((version.position, path), ()):
        if here.isdisjoint(stand.version.position for stand in asked.thread.stands):
            before = [stand for stand in asked.thread.stands if stand.version.position < version.position]
            was = before[-1].question.path
            yield _step(version, path, "perhaps_renamed", was, asked.detail, asked.because)


def _changes(threads: Threads, thread: Thread, place: int, sharing: Sharing) -> Iterator[Step]:
    before, now = thread.stands[place - 1], thread.stands[place]
    old, new, because = before.question, now.question, now.because
    without = threads.versions[before.version.position + 1 : now.version.position]
    gap = f"not in {_some([version.form.version or '(none)' for version in without])}" if without else ""
    if old.path != new.path:
        fate: Fate = "moved" if old.name == new.name else "renamed"
        detail = "; ".join(filter(None, [gap, sharing.reason(thread, old.path, new.path)]))
        yield _step(now.version, new.path, fate, old.path, detail, because)
    elif before.repeat != now.repeat:
        detail = "; ".join(filter(None, [gap, "a column of its own: not in the same repeat"]))
        yield _step(now.version, new.path, "moved", "", detail, because)
    elif gap or (old.type == new.type and not _recoded(before, now)):
        yield _step(now.version, new.path, "same", "", gap, because)
    if old.type != new.type:
        yield _step(now.version, new.path, "retyped", "", f"{old.type} → {new.type}", because)
    if codes := _recoded(before, now):
        yield _step(now.version, new.path, "recoded", "", codes, because)


def _recoded(before: Stand, now: Stand) -> str:
    """The codes that its list lost and got: `−north +n`; empty where the list stands in a file."""
    old, new = _codes(before), _codes(now)
    if not old or not new or old == new:
        return ""
    lost = [f"−{code}" for code in old if code not in new]
    got = [f"+{code}" for code in new if code not in old]
    return " ".join(filter(None, [_some(lost, " "), _some(got, " ")]))


def _codes(stand: Stand) -> dict[str, None]:
    choices = stand.version.form.choice_lists.get(stand.question.list_name, ())
    return dict.fromkeys(choice.name for choice in choices)


def _some(names: Sequence[str], between: str = ", ") -> str:
    more = f"{between}and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{between.join(names[:_SHOWN])}{more}"


def _step(version: Version, path: str, fate: Fate, was: str = "", detail: str = "", because: str = "") -> Step:
    return Step(version.form.version, version.position, path, fate, was, detail, because)
