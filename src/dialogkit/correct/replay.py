"""Replays the entries about one submission on its canonical answers, before anything is typed."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dialogkit.correct.questions import Questions
from dialogkit.model.correction import REMOVED, Corrected, Entry, Outcome, State


@dataclass(frozen=True, slots=True)
class Cell:
    """Where one answer stands: the row that holds it, and the path of that row's repeat (`""` for the main table)."""

    row: dict[str, Any]
    level: str
    path: str

    @property
    def text(self) -> str:
        """The canonical text; empty for no answer."""
        return str(self.row.get(self.path, ""))


def in_force(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries that nothing later took back; those that take back are not among them, nor is `no_action`."""
    some = list(entries)
    undone: set[str] = set()
    for entry in reversed(some):
        if entry.undoes and entry.id not in undone:
            undone.add(entry.undoes)
    return tuple(entry for entry in some if entry.changes and entry.id not in undone)


def digest_of(entries: Iterable[Entry]) -> str:
    """Changes when what the ledger asks of a submission changes; empty when it asks nothing."""
    facts = [
        (one.id, one.question, one.row, one.change_type, one.old_value, one.new_value) for one in in_force(entries)
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16] if facts else ""


def replay(line: Mapping[str, Any], entries: Sequence[Entry], questions: Questions) -> Corrected:
    """What the ledger makes of one submission.

    Args:
        line: canonical, as its batch has it; it is left as it is.
        entries: all entries about it, oldest first.
        questions: of every known version of the form.
    """
    forced = in_force(entries)
    new = copy.deepcopy(dict(line))
    states: dict[str, tuple[str, State]] = {}
    added: dict[str, set[str]] = {}
    unreadable = bool(line["refused"] or line["deleted_at"] or line["sealed"])
    removing = [one for one in forced if one.change_type == "remove_survey"]
    if unreadable or removing:
        states = {one.id: ("", "no place") for one in forced}
    if removing and not (line["refused"] or line["deleted_at"]):
        states |= {one.id: ("", "applied") for one in removing}
        new |= {"refused": REMOVED, "answers": {}}
    elif not unreadable:
        states = _change(new, forced, questions, added)
    outcomes = tuple(_outcome(one, states) for one in entries)
    return Corrected(new, outcomes, digest_of(entries), {level: frozenset(paths) for level, paths in added.items()})


def find_cell(line: Mapping[str, Any], question: str, row: str, questions: Questions) -> Cell | None:
    """Where an answer of a submission stands, or would stand; None when there is no such place in it."""
    for path in questions.in_edition(question, line["form_version"]):
        found = _descend(line["answers"], path, row.split("/") if row else [])
        if found and not isinstance(found.row.get(path, ""), list):
            return found
    return None


def _outcome(entry: Entry, states: Mapping[str, tuple[str, State]]) -> Outcome:
    if not entry.changes:
        return Outcome(entry, "", "kept")
    path, state = states.get(entry.id, ("", "undone"))
    return Outcome(entry, path, state)


def _change(
    line: Mapping[str, Any], forced: Sequence[Entry], questions: Questions, added: dict[str, set[str]]
) -> dict[str, tuple[str, State]]:
    """Change the answers of `line`; tells the path and the state of each entry."""
    states: dict[str, tuple[str, State]] = {}
    chains: dict[tuple[int, str], tuple[Cell, list[Entry]]] = {}
    for entry in forced:
        cell = find_cell(line, entry.question, entry.row, questions)
        if cell is None or questions.is_protected(cell.path):
            states[entry.id] = (cell.path if cell else questions.newest(entry.question), "no place")
            continue
        chains.setdefault((id(cell.row), cell.path), (cell, []))[1].append(entry)
    for cell, chain in chains.values():
        text, results = _walk(cell.text, chain)
        states |= {entry.id: (cell.path, state) for entry, state in zip(chain, results, strict=True)}
        if text == cell.text:
            continue
        if text:
            cell.row[cell.path] = text
            added.setdefault(cell.level, set()).add(cell.path)
        else:
            del cell.row[cell.path]
    return states


def _walk(source: str, chain: Sequence[Entry]) -> tuple[str, list[State]]:
    """One answer through all entries about it, oldest first.

    What the source says itself already is behind us; after that each entry must start from what the one before it
    left, or from the source. An entry that another one later settled is no conflict any more.
    """
    news = [new_text(entry) for entry in chain]
    done = max((place for place, text in enumerate(news, 1) if text == source), default=0)
    states: list[State] = ["at the source"] * done
    current = source
    settled = done
    for place, (entry, new) in enumerate(zip(chain[done:], news[done:], strict=True), done):
        if entry.old_value in (current, source):
            current = new
            # All since the last one that was made are in conflict.
            states[settled:] = ["superseded"] * (place - settled)
            states.append("applied")
            settled = place + 1
        else:
            states.append("conflict")
    return current, states


def new_text(entry: Entry) -> str:
    """What an entry makes of an answer; empty when it takes it away."""
    return entry.new_value if entry.change_type == "change_response" else ""


def _descend(row: Any, path: str, places: Sequence[str], level: str = "") -> Cell | None:
    """Follow the places of rows down the repeats above `path`, whatever form version named them."""
    if not isinstance(row, dict):
        return None
    if not places:
        return None if any(_holds(row, above) for above in _above(path, level)) else Cell(row, level, path)
    for above in _above(path, level):
        rows = row.get(above)
        if isinstance(rows, list):
            place = places[0]
            number = int(place) if place.isascii() and place.isdigit() else 0
            return _descend(rows[number - 1], path, places[1:], above) if 1 <= number <= len(rows) else None
    return None


def _holds(row: Mapping[str, Any], path: str) -> bool:
    return isinstance(row.get(path), list)


def _above(path: str, level: str) -> Iterator[str]:
    """The sections between a level and a path, outermost first."""
    parts = path.split("/")
    for end in range(level.count("/") + 2 if level else 1, len(parts)):
        yield "/".join(parts[:end])
