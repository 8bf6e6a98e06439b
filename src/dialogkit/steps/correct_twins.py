"""Which rows of a log stand in the ledger already; each entry is met once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from dialogkit.correct.questions import Questions
from dialogkit.model.correction import Entry

#: As R and cleaningtools write that there is nothing.
NOTHING: Final = ("", "NA")
_Facts = tuple[str, str, str, str, str, str]


class Twins:
    """The entries of a ledger that no row of a log has met yet."""

    def __init__(self, entries: Iterable[Entry], questions: Questions) -> None:
        self._questions = questions
        self._by_id: dict[tuple[str, str], Entry] = {}
        self._alike: dict[_Facts, dict[str, Entry]] = {}
        for entry in entries:
            self._by_id[entry.key, entry.id] = entry
            self._alike.setdefault(_facts(entry), {})[entry.id] = entry

    def meet(self, wish: Entry) -> bool:
        """Whether a row says what an entry says already, by its id or in all that it tells."""
        twin = self._by_id.get((wish.key, wish.id)) or next(self._like(wish), None)
        if twin is None:
            return False
        del self._by_id[twin.key, twin.id], self._alike[_facts(twin)][twin.id]
        return True

    def _like(self, wish: Entry) -> Iterator[Entry]:
        new = wish.new_value if wish.change_type == "change_response" else ""
        removes = wish.change_type == "remove_survey"
        question = self._questions.newest(wish.question) if wish.question.strip() and not removes else ""
        row = "" if removes else wish.row
        for entry in self._alike.get((wish.key, wish.change_type, question, row, new, wish.undoes), {}).values():
            if removes or wish.old_value in NOTHING or wish.old_value == entry.old_value:
                yield entry


def _facts(entry: Entry) -> _Facts:
    return (entry.key, entry.change_type, entry.question, entry.row, entry.new_value, entry.undoes)
