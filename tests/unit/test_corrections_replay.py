"""The ledger replayed on answers: chains, what takes back what, places in repeats, names of questions."""

from __future__ import annotations

import copy
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from dialogkit.correct.ledger import append, changing, read_ledger
from dialogkit.correct.questions import Questions
from dialogkit.correct.replay import digest_of, in_force, replay
from dialogkit.errors import ConfigError
from dialogkit.model.correction import Entry
from tests.builders import make_form

OLD = make_form("f", "1", [("text", "a"), ("text", "g/b"), ("repeat", "r"), ("text", "r/x"), ("note", "hint")])
NEW = make_form("f", "2", [("text", "h/a"), ("text", "g/b"), ("text", "c/b"), ("repeat", "r"), ("text", "r/x")])
QUESTIONS = Questions({"1": OLD, "2": NEW}, {"a": "h/a"}, {"b__2": "c/b"})
NUMBERS = count(1)


def entry(old: str = "", new: str = "", question: str = "a", **facts: str) -> Entry:
    one = Entry("uuid:1", question, "", old, new, "change_response", "", "me", "2026-11-21T10:00:00Z", "why", "", "")
    return replace(one, id=f"id{next(NUMBERS):06d}", **facts)


def undo(one: Entry) -> Entry:
    return entry(undoes=one.id, change_type="no_action")


def line(answers: dict[str, Any], version: str = "1", **facts: str) -> dict[str, Any]:
    empty = {"id": "uuid:1", "form_version": version, "refused": "", "deleted_at": "", "sealed": ""}
    return empty | facts | {"answers": answers}


def made(source: str, *chain: tuple[str, str]) -> tuple[Any, list[str]]:
    """What becomes of one answer, and the state of each entry."""
    before = line({"a": source} if source else {})
    whole = copy.deepcopy(before)
    found = replay(before, [entry(old, new) for old, new in chain], QUESTIONS)
    assert before == whole, "the line of the batch was changed"
    return found.line["answers"].get("a"), [one.state for one in found.outcomes]


@pytest.mark.parametrize(
    ("source", "chain", "answer", "states"),
    [
        ("1", [("1", "2")], "2", ["applied"]),
        ("2", [("1", "2")], "2", ["at the source"]),
        ("3", [("1", "2")], "3", ["conflict"]),
        ("", [("", "2")], "2", ["applied"]),
        ("1", [("1", "2"), ("2", "3")], "3", ["applied", "applied"]),
        ("2", [("1", "2"), ("2", "3")], "3", ["at the source", "applied"]),
        ("3", [("1", "2"), ("2", "3")], "3", ["at the source", "at the source"]),
        ("9", [("1", "2"), ("2", "3")], "9", ["conflict", "conflict"]),
        ("9", [("1", "2"), ("9", "3")], "3", ["superseded", "applied"]),
        ("9", [("1", "2"), ("3", "9")], "9", ["at the source", "at the source"]),
        ("1", [("1", "2"), ("1", "4")], "4", ["applied", "applied"]),
        ("1", [("1", "2"), ("2", "1")], "1", ["at the source", "at the source"]),
    ],
)
def test_entries_about_one_answer_are_a_chain(source, chain, answer, states):
    assert made(source, *chain) == (answer, states)


def test_what_takes_back_can_be_taken_back():
    one = entry("1", "2")
    two = undo(one)
    three = undo(two)
    assert in_force([one]) == (one,)
    assert in_force([one, two]) == ()
    assert in_force([one, two, three]) == (one,)
    assert digest_of([one]) == digest_of([one, two, three]) != digest_of([one, two]) == ""


def test_a_digest_changes_with_what_is_asked_and_with_nothing_else():
    one = entry("1", "2")
    assert digest_of([one]) != digest_of([replace(one, new_value="3")])
    assert digest_of([one]) == digest_of([replace(one, why="other", issue="x", by="you")])
    assert digest_of([entry(change_type="no_action")]) == ""


@pytest.mark.parametrize(
    ("row", "there"), [("1", True), ("2", True), ("3", False), ("0", False), ("", False), ("²", False)]
)
def test_a_row_is_found_by_its_place(row, there):
    found = replay(
        line({"r": [{"r/x": "1"}, {}]}), [entry("1" if row == "1" else "", "new", "r/x", row=row)], QUESTIONS
    )
    assert [one.state for one in found.outcomes] == ["applied" if there else "no place"]
    if there:
        assert found.line["answers"]["r"][int(row) - 1] == {"r/x": "new"}
        assert found.added == {"r": frozenset({"r/x"})}


def test_a_renamed_question_is_corrected_where_its_version_asks_it():
    for version, path in (("1", "a"), ("2", "h/a"), ("unknown", "h/a")):
        found = replay(line({path: "1"}, version), [entry("1", "2", "a")], QUESTIONS)
        assert (found.line["answers"], found.outcomes[0].path) == ({path: "2"}, path)


def test_a_question_that_its_version_does_not_ask_has_no_place():
    found = replay(line({}, "1"), [entry("", "2", "c/b")], QUESTIONS)
    assert (found.line["answers"], found.outcomes[0].state) == ({}, "no place")


@pytest.mark.parametrize("fact", ["refused", "deleted_at", "sealed"])
def test_nothing_is_made_of_what_is_not_there(fact):
    found = replay(line({}, **{fact: "yes"}), [entry("", "2"), entry(change_type="no_action")], QUESTIONS)
    assert [one.state for one in found.outcomes] == ["no place", "kept"]
    assert (found.line["answers"], found.applied) == ({}, "")


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ("a", ("h/a",)),
        ("h/a", ("h/a",)),
        ("/g/b", ("g/b",)),
        ("b", ("g/b", "c/b")),
        ("b__2", ("c/b",)),
        ("x", ("r/x",)),
        ("hint", ()),
        ("", ()),
    ],
)
def test_a_question_is_meant_by_path_name_or_column(given, paths):
    assert set(QUESTIONS.find(given)) == set(paths)


def test_the_short_name_means_the_same_question():
    assert [QUESTIONS.short(path) for path in ("h/a", "g/b", "c/b", "r/x")] == ["a", "g/b", "c/b", "x"]


def test_any_text_comes_back_from_the_ledger_byte_for_byte(tmp_path):
    path = tmp_path / "corrections" / "f.csv"
    texts = [
        "=1+1",
        'a "quoted", one',
        "two\nlines",
        "two\r\nlines",
        "\ttab",
        " space ",
        "’ é 漢字 🙂",
        "'",
        "",
        "long " * 40_000,
    ]
    entries = [entry(text, text[::-1]) for text in texts]
    with changing(path.parent):
        append(path, entries[:4])
        append(path, entries[4:])
    assert read_ledger(path) == entries
    assert path.stat().st_mode & 0o77 == 0
    assert (path.parent / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize(
    "wrong", [{"id": "x"}, {"at": "yesterday"}, {"at": "2026-11-21T10:00:00"}, {"uuid": "uuid:"}, {"undoes": "nowhere"}]
)
def test_correct_001_a_spoilt_ledger_is_refused_with_its_line(tmp_path, wrong):
    path = tmp_path / "f.csv"
    append(path, [entry()])
    with pytest.raises(ConfigError) as caught:
        append(path, [replace(entry(), **wrong)])
        read_ledger(path)
    assert (caught.value.code, caught.value.problem.where) == ("CORRECT-001", f"{tmp_path.name}/f.csv, line 3")
