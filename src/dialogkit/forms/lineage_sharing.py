"""Which paths of a question can share one column, and why others cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dialogkit.forms.decided import Decided
from dialogkit.forms.lineage_threads import Thread, Threads

#: Path → the questions, and kinds of sections, that ever stood there.
Used = dict[str, set[Thread | str]]


@dataclass(frozen=True)
class Sharing:
    """Which earlier paths share the column of the newest, and why the others do not."""

    same: Mapping[str, str]
    apart: Mapping[tuple[Thread, str], str]

    def reason(self, thread: Thread, *paths: str) -> str:
        """Why one of the paths has a column of its own; empty when they share."""
        return next((reason for path in paths if (reason := self.apart.get((thread, path), ""))), "")


def sharing_of(threads: Threads, decided: Decided) -> Sharing:
    """Which paths share a column; also paths that no version here asks, where somebody said what became of them."""
    used: Used = {}
    for (_, path), thread in threads.of.items():
        used.setdefault(path, set()).add(thread)
    for version in threads.versions:
        for section in version.form.sections:
            used.setdefault(section.path, set()).add(section.kind)
    same: dict[str, str] = {}
    apart: dict[tuple[Thread, str], str] = {}
    for thread in threads.all:
        for path in thread.paths:
            newest = thread.last.question.path
            if path == newest:
                continue
            if reason := _apart(thread, path, used):
                apart[thread, path] = reason
            else:
                same[path] = newest
    return Sharing(same | dict(_unseen(threads, decided, used)), apart)


def _apart(thread: Thread, path: str, used: Used) -> str:
    """Why the answers at an earlier path cannot stand in the column of the newest; empty when they can."""
    last = thread.last
    for one in (path, last.question.path):
        if len(used[one]) > 1:
            return f"a column of its own: {one} is the path of something else too"
    earlier = [stand for stand in thread.stands if stand.question.path == path]
    if any(stand.repeat != last.repeat for stand in earlier):
        return "a column of its own: not in the same repeat"
    if not all(stand.question.has_answer for stand in (*earlier, last)):
        return "a column of its own: not answered in both"
    return ""


def _unseen(threads: Threads, decided: Decided, used: Used) -> Iterator[tuple[str, str]]:
    """Paths that no version here asks → the newest path: phones may still send versions that nobody kept."""
    names = {path.rpartition("/")[2] for path in used}
    claims: dict[str, set[Thread]] = {}
    for thread in threads.all:
        for stand in thread.stands:
            text, section = stand.question.was.strip("/"), stand.question.path.rpartition("/")[0]
            if text and text not in names:
                claims.setdefault(f"{section}/{text}" if section and "/" not in text else text, set()).add(thread)
    for old, new in decided.same.items():
        claims[old] = {thread for thread in used.get(new, ()) if isinstance(thread, Thread)}
    for old, claimed in claims.items():
        last = next(iter(claimed)).last if len(claimed) == 1 else None
        if old in used or last is None or not last.question.has_answer:
            continue
        newest = last.question.path
        if len(used[newest]) == 1 and last.version.form.repeat_of(old) == last.repeat:
            yield old, newest
