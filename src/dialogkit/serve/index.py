"""The index of stored submissions in memory, rebuilt from their folders at every start."""

from __future__ import annotations

import time
from bisect import bisect_right, insort
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition

from dialogkit.serve.facts import Facts, folder_of

Name = tuple[str, str]
"""form_id and instanceID."""


@dataclass(slots=True)
class Entry:
    """What has to be known of a submission without opening its folder."""

    root: str
    sequence: int
    complete: bool
    deprecated: str
    replaced: bool = False
    refused: bool = False


class Index:
    """Which editions there are, which is current, and in what order they came. Safe for many threads."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._entries: dict[Name, Entry] = {}
        self._order: dict[str, list[tuple[int, str]]] = {}
        self._buried: set[Name] = set()
        self._busy: set[Name] = set()
        self._in_flight: set[int] = set()
        self._last = 0

    def get(self, form_id: str, instance_id: str) -> Entry | None:
        """The edition of this instanceID."""
        with self._changed:
            return self._entries.get((form_id, instance_id))

    def buried(self, form_id: str, instance_id: str) -> bool:
        """Whether this edition was here and was taken away because the person chose so."""
        with self._changed:
            return (form_id, folder_of(instance_id)) in self._buried

    def editions(self, form_id: str, root: str) -> list[str]:
        """The instanceIDs of every edition of a submission, in order."""
        with self._changed:
            found = [
                (entry.sequence, name[1])
                for name, entry in self._entries.items()
                if name[0] == form_id and entry.root == root
            ]
        return [instance_id for _, instance_id in sorted(found)]

    def current(self, form_id: str, editions: list[str]) -> str:
        """The edition among these that no other replaces."""
        with self._changed:
            return next(one for one in editions if not self._entries[form_id, one].replaced)

    @contextmanager
    def holding(self, form_id: str, *instance_ids: str) -> Iterator[None]:
        """Nobody else touches these editions, nor others of the same submissions, during the block."""
        with self._changed:
            while True:
                names = {
                    (form_id, name)
                    for instance_id in instance_ids
                    if instance_id
                    for name in (instance_id, self._root(form_id, instance_id))
                }
                if not names & self._busy:
                    break
                self._changed.wait()
            self._busy |= names
        try:
            yield
        finally:
            with self._changed:
                self._busy -= names
                self._changed.notify_all()

    @contextmanager
    def sequence(self) -> Iterator[int]:
        """The next number. Until the block ends, a list shows nothing from this number on.

        Otherwise a pull could see a later submission first, and would never ask for this one. The number is
        the time in microseconds where that is larger, so that it also grows when the last one was taken away.
        """
        with self._changed:
            self._last = max(self._last + 1, time.time_ns() // 1000)
            number = self._last
            self._in_flight.add(number)
        try:
            yield number
        finally:
            with self._changed:
                self._in_flight.discard(number)

    def put(self, facts: Facts) -> None:
        """An edition that is safe on disk, new or with a new state."""
        name = (facts.form_id, facts.instance_id)
        entry = Entry(
            facts.submission_id, facts.sequence, facts.complete, facts.deprecated_id, refused=bool(facts.refused)
        )
        with self._changed:
            known = self._entries.get(name)
            entry.replaced = bool(known and known.replaced)
            self._entries[name] = entry
            self._last = max(self._last, facts.sequence)
            self._buried |= {(facts.form_id, folder) for folder in facts.buried}
            if known is None or known.sequence != facts.sequence:
                insort(self._order.setdefault(facts.form_id, []), (facts.sequence, facts.instance_id))
            above = self._entries.get((facts.form_id, facts.deprecated_id))
            if facts.complete and facts.deprecated_id and above:
                above.replaced = True

    def drop(self, form_id: str, instance_id: str) -> None:
        """An edition that is no longer on disk."""
        with self._changed:
            self._entries.pop((form_id, instance_id), None)

    def listed(self, form_id: str, after: int, count: int) -> list[tuple[int, str]]:
        """Sequence and instanceID of the current, complete editions that came after `after`, in order."""
        with self._changed:
            end = min(self._in_flight, default=self._last + 1)
            order = self._order.get(form_id, [])
            found: list[tuple[int, str]] = []
            for position in range(bisect_right(order, (after, "\U0010ffff")), len(order)):
                sequence, instance_id = order[position]
                if sequence >= end or len(found) == count:
                    break
                if self._shown(form_id, sequence, instance_id):
                    found.append((sequence, instance_id))
        return found

    def _shown(self, form_id: str, sequence: int, instance_id: str) -> bool:
        entry = self._entries.get((form_id, instance_id))
        return bool(entry and entry.sequence == sequence and entry.complete and not entry.replaced)

    def _root(self, form_id: str, instance_id: str) -> str:
        entry = self._entries.get((form_id, instance_id))
        return entry.root if entry else instance_id
