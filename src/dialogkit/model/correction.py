"""An entry of the corrections ledger, and what became of it when it was last replayed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

#: cleaningtools' words for what an entry does.
CHANGE_TYPES: Final = ("change_response", "blank_response", "no_action", "remove_survey")
#: Why a submission that `remove_survey` took out is refused.
REMOVED: Final = "removed by a correction"

#: `applied`: the answer was changed before it was typed. `at the source`: the source says so itself by now.
#: `conflict`: the source says neither the old nor the new value. `no place`: the submission, its row or its question is
#: not there any more. `no batch`: the submission is there and the folder of its batch is not, so that it can neither be
#: made nor taken back. `superseded`: a later entry settled the same answer. `undone`: by a later entry. `kept`: in the
#: book only. `waiting`: not replayed yet.
State = Literal[
    "applied", "at the source", "conflict", "no place", "no batch", "superseded", "undone", "kept", "waiting"
]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. The first six are cleaningtools' columns, under its names in the file.

    Args:
        uuid: id of the submission.
        question: full path, leaf name (where it is unique) or column name; empty for a whole submission.
        issue: what was wrong, in a few words.
        old_value, new_value: canonical texts; empty means no answer.
        change_type: see `CHANGE_TYPES`.
        row: place in a repeat (`2`, `2/1`); empty in the main table.
        by, at, why: who, when (ISO 8601, UTC) and the reason.
        id: stable name of the entry.
        undoes: id of the entry that this one takes back; then nothing else of it counts.
    """

    uuid: str
    question: str
    issue: str
    old_value: str
    new_value: str
    change_type: str
    row: str
    by: str
    at: str
    why: str
    id: str
    undoes: str

    @property
    def key(self) -> str:
        """The id of the submission without `uuid:`, by which entries and submissions are matched."""
        return bare(self.uuid)

    @property
    def changes(self) -> bool:
        """Whether it asks for anything when it is replayed."""
        return not self.undoes and self.change_type != "no_action"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one entry; `path` is where the answer stands in that edition of the submission."""

    entry: Entry
    path: str
    state: State


@dataclass(frozen=True, slots=True)
class Corrected:
    """What the ledger did to one submission.

    Args:
        line: its canonical line, corrected.
        outcomes: of every entry about it.
        digest: of the entries that count; empty for none.
        added: level → paths that have an answer now.
    """

    line: Mapping[str, Any]
    outcomes: tuple[Outcome, ...]
    digest: str
    added: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def applied(self) -> str:
        """Ids of the entries that changed it: what a person's decision on it was about."""
        return " ".join(one.entry.id for one in self.outcomes if one.state == "applied")


@dataclass(frozen=True)
class Replay:
    """The ledger as a landing uses it.

    Args:
        keys: ids without `uuid:` of the submissions that it has entries about.
        correct: a canonical line → what the ledger does to it.
        again: ids of submissions to be landed once more although they are known; empty for a landing of a whole batch.
        beside: the others of their batch are staged too, for rules that look at them.
    """

    keys: frozenset[str]
    correct: Callable[[Mapping[str, Any]], Corrected]
    again: Sequence[str] = ()
    beside: bool = False


def bare(submission_id: str) -> str:
    """An id as people write it: without `uuid:`."""
    return submission_id.removeprefix("uuid:")
