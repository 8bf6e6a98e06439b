"""Corrections: listed, added, taken back, brought from a log of cleaningtools and given as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from dialogkit.correct.ledger import ID, append, changing, is_time, new_id, now, read_ledger
from dialogkit.correct.replay import in_force
from dialogkit.correct.running import Running
from dialogkit.correct.table import read_table, write_table
from dialogkit.errors import ConfigError
from dialogkit.model.correction import Entry, State
from dialogkit.problem import Problem
from dialogkit.steps.correct_checks import About, breaking, judged, no_submission
from dialogkit.steps.correct_sources import Sources
from dialogkit.steps.correct_twins import Twins
from dialogkit.steps.here import forms_here
from dialogkit.steps.ledger import Book, ledger_of
from dialogkit.warehouse.connect import reading
from dialogkit.warehouse.corrections import states_of
from dialogkit.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry, its form and what became of it at the last landing."""

    form_id: str
    entry: Entry
    state: State


@dataclass(frozen=True, slots=True)
class Brought:
    """What an import of a log did: entries that were added, and rows that stood in the ledger already."""

    added: tuple[Listed, ...]
    known: int


@dataclass(frozen=True, slots=True)
class _Given:
    """A row of a log that is to become an entry."""

    where: str
    form_id: str
    wish: Entry


def list_corrections(workspace: Workspace, forms: Sequence[str] = ()) -> list[Listed]:
    """Every entry of the forms (of all when none is named), oldest first.

    Raises:
        ConfigError: CORRECT-001, a file is not a ledger.
        WarehouseError: the warehouse is open elsewhere.
    """
    found: list[Listed] = []
    for form_id in forms or _with_ledger(workspace):
        entries = read_ledger(ledger_of(workspace, form_id))
        if entries:
            found += _listed(form_id, entries, _states(workspace, form_id))
    return found


def add_correction(workspace: Workspace, form_id: str, wish: Entry) -> Listed:
    """Add one entry; it is made at the next landing.

    Args:
        workspace: where.
        form_id: of the submission; empty when its id is enough to tell it.
        wish: `uuid` may be the beginning of an id, `old_value` empty; `at` and `id` are filled in.

    Raises:
        ConfigError: CORRECT-010 to CORRECT-018, it cannot stand; with everything that is wrong.
    """
    with Sources(workspace) as sources:
        forms = [form_id] if form_id else sources.forms()
        meant = [(form, id_) for form in forms for id_ in sources.meant(form, wish.uuid)]
        if len(meant) != 1:
            raise _refused([no_submission(f"submission {wish.uuid}", several=len(meant) > 1)])
        ((form, id_),) = meant
        given = _Given(f"{form}, submission {id_}", form, replace(wish, uuid=id_))
        added, _ = _add(workspace, sources, [given])
    return added[0]


def import_corrections(workspace: Workspace, path: Path, *, form_id: str = "", by: str, why: str = "") -> Brought:
    """Add the rows of a log: those that stand in the ledger already are passed over, so that twice is as once.

    Args:
        workspace: where.
        path: CSV or XLSX with the columns of cleaningtools; ours are read where they are.
        form_id: of all its submissions; empty when the column `form` or the id is enough to tell.
        by: who, where a row does not say.
        why: the reason, where a row does not say; else its issue.

    Raises:
        ConfigError: CORRECT-002, CORRECT-003, CORRECT-007, the file cannot be read; CORRECT-010 to CORRECT-018, rows
            that cannot stand, each with its number. Nothing is added then.
    """
    rows = [
        (f"{path.name}, row {line}", _as_entry(row, by, why), row.get("form", "")) for line, row in read_table(path)
    ]
    with Sources(workspace) as sources:
        given, problems = _placed(sources, rows, form_id)
        if problems:
            raise _refused(problems)
        added, known = _add(workspace, sources, given, again=True)
    return Brought(tuple(added), known)


def undo_correction(workspace: Workspace, entry_id: str, *, by: str, why: str) -> Listed:
    """Take an entry back by another one; nothing is deleted.

    Raises:
        ConfigError: CORRECT-005, there is no such entry, it was taken back already, or a later one builds upon it.
    """
    for form_id in _with_ledger(workspace):
        path = ledger_of(workspace, form_id)
        with changing(path.parent):
            entries = read_ledger(path)
            entry = next((one for one in entries if one.id == entry_id), None)
            if entry is None:
                continue
            if reason := _cannot_undo(entries, entry):
                raise _no_undo(entry_id, *reason)
            undo = replace(entry, by=by, at=now(), why=why, id=new_id({one.id for one in entries}), undoes=entry_id)
            undo = replace(undo, issue="", old_value="", new_value="", change_type="no_action")
            append(path, [undo])
        return Listed(form_id, undo, "kept")
    raise _no_undo(entry_id, "No ledger has an entry of this id.", "See the ids with: dialogkit correct list")


def export_corrections(workspace: Workspace, path: Path, forms: Sequence[str] = ()) -> int:
    """Write the ledger as a table: the columns of cleaningtools, then ours; tells how many entries.

    Questions are named as cleaningtools names them, by their leaf, where that means one question.
    """
    rows: list[Mapping[str, str]] = []
    with Sources(workspace) as sources:
        for one in list_corrections(workspace, forms):
            entry = one.entry
            short = sources.questions(one.form_id).short(entry.question) if entry.question else ""
            rows.append(asdict(entry) | {"question": short, "form": one.form_id, "state": one.state})
    write_table(path, rows)
    return len(rows)


def _with_ledger(workspace: Workspace) -> list[str]:
    return [form_id for form_id in forms_here(workspace) if ledger_of(workspace, form_id).is_file()]


def _states(workspace: Workspace, form_id: str) -> Mapping[str, State]:
    if not workspace.warehouse.is_file():
        return {}
    with reading(workspace.warehouse) as db:
        return states_of(db, form_id)


def _listed(form_id: str, entries: Sequence[Entry], told: Mapping[str, State]) -> Iterator[Listed]:
    """What was undone or is kept only is certain; the rest is as the last landing found it."""
    forced = Book(entries).forced
    for entry in entries:
        state: State = "kept" if not entry.changes else "undone" if entry.id not in forced else "waiting"
        found = told.get(entry.id, "waiting")
        is_later = found == "no batch" if state == "undone" else state == "waiting" and found not in ("undone", "kept")
        yield Listed(form_id, entry, found if is_later else state)


def _as_entry(row: Mapping[str, str], by: str, why: str) -> Entry:
    text = {name: row.get(name, "") for name in ("row", "by", "at", "why", "id", "undoes")}
    return Entry(
        uuid=row["uuid"].strip(),
        question=row["question"].strip(),
        issue=row["issue"],
        old_value=row["old_value"],
        new_value=row["new_value"],
        change_type=row["change_type"].strip(),
        row=text["row"].strip(),
        by=text["by"] or by,
        at=text["at"] if is_time(text["at"]) else "",
        why=text["why"] or why or row["issue"],
        id=text["id"] if ID.fullmatch(text["id"]) else "",
        undoes=text["undoes"],
    )


def _placed(
    sources: Sources, rows: Iterable[tuple[str, Entry, str]], form_id: str
) -> tuple[list[_Given], list[Problem]]:
    """The rows with their form; those whose submission no form has, or several have, are problems."""
    rows = list(rows)
    keys = {wish.key for _, wish, _ in rows}
    forms = [form_id] if form_id else sources.forms()
    here = {form: sources.find(form, keys).keys() for form in forms}
    given, problems = [], []
    for where, wish, named in rows:
        meant = [form for form in forms if wish.key in here[form] and (form_id or named in ("", form))]
        if len(meant) == 1:
            given.append(_Given(where, meant[0], wish))
        else:
            problems.append(no_submission(where, several=len(meant) > 1))
    return given, problems


def _add(
    workspace: Workspace, sources: Sources, given: Sequence[_Given], *, again: bool = False
) -> tuple[list[Listed], int]:
    """Judge all and then add all, form by form; `again` passes over what a ledger has already."""
    forms = list(dict.fromkeys(one.form_id for one in given))
    problems: list[Problem] = []
    plans: list[tuple[str, list[Entry]]] = []
    known = 0
    with changing(workspace.corrections):
        for form_id in forms:
            some = [one for one in given if one.form_id == form_id]
            entries, wrong, passed = _judge(workspace, sources, form_id, some, again=again)
            plans.append((form_id, entries))
            problems += wrong
            known += passed
        if problems:
            raise _refused(problems)
        for form_id, entries in plans:
            if entries:
                append(ledger_of(workspace, form_id), entries)
    return [Listed(form_id, entry, "waiting") for form_id, some in plans for entry in some], known


def _judge(
    workspace: Workspace, sources: Sources, form_id: str, given: Sequence[_Given], *, again: bool
) -> tuple[list[Entry], list[Problem], int]:
    """The new entries of a form, what is wrong with them, and how many rows stand in the ledger already."""
    standing = read_ledger(ledger_of(workspace, form_id))
    questions = sources.questions(form_id)
    lines = sources.find(form_id, {one.wish.key for one in given})
    book, twins = Book(standing), Twins(standing if again else (), questions)
    so_far = {key: Running(source.line, book.of(key), questions) for key, source in lines.items()}
    taken = {entry.id for entry in standing}
    added, abouts, problems, met = list[Entry](), list[About](), list[Problem](), 0
    for one in given:
        wish = one.wish
        if twins.meet(wish):
            met += 1
            continue
        if wish.key not in so_far:  # its batch is not here any more
            problems.append(no_submission(one.where, several=False))
            continue
        about = About(one.where, so_far[wish.key], questions, sources.fits)
        entry, wrong = judged(wish, about)
        problems += wrong
        entry = replace(entry, at=entry.at or now(), id=_own(entry.id, taken))
        taken.add(entry.id)
        added.append(entry)
        abouts.append(about)
        about.so_far.add(entry)
    if not problems:
        # With all of them made: two answers that bind each other may be corrected together.
        problems = list(breaking(zip(added, abouts, strict=True)))
    return added, problems, met


def _own(given: str, taken: set[str]) -> str:
    """The id that a log of ours gives an entry, where it is free."""
    return given if given and given not in taken else new_id(taken)


def _cannot_undo(entries: Sequence[Entry], entry: Entry) -> tuple[str, str] | None:
    forced = set(in_force(entries))
    undone = {one.undoes for one in entries if one.undoes}
    if entry.changes and entry not in forced:
        return "It was taken back already.", "To make it again, take back the entry that undid it."
    if not entry.changes and not entry.undoes:
        return "It changes nothing, so there is nothing to take back.", "Leave it: the ledger is never shortened."
    if entry.undoes and entry.id in undone:
        return "It was taken back already.", "See the ledger with: dialogkit correct list"
    cell = (entry.key, entry.question, entry.row)
    later = entries[entries.index(entry) + 1 :]
    built = [one for one in later if one in forced and (one.key, one.question, one.row) == cell]
    if entry.question and built and not entry.undoes:
        return "A later correction of the same answer builds upon it.", f"Take that one back first: {built[-1].id}"
    return None


def _no_undo(entry_id: str, message: str, fix: str) -> ConfigError:
    return ConfigError("CORRECT-005", f"correction {entry_id}", message, fix)


def _refused(problems: Sequence[Problem]) -> ConfigError:
    last = problems[-1]
    return ConfigError(last.code, last.where, f"{last.message} Nothing was added.", last.fix, tuple(problems[:-1]))
