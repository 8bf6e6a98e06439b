"""Entries judged one after another: as a replay of all of them has it, and without one for each."""

from __future__ import annotations

import random
from typing import Any

from dialogkit.correct.questions import Questions
from dialogkit.correct.replay import find_cell, replay
from dialogkit.correct.running import Running
from dialogkit.model.correction import Entry
from dialogkit.steps.correct_twins import Twins
from tests.builders import make_form

FORM = make_form("f", "1", [("text", "a"), ("text", "b"), ("repeat", "r"), ("text", "r/x")])
QUESTIONS = Questions({"1": FORM}, {}, {})


def entry(number: int, question: str, old: str, new: str, **facts: str) -> Entry:
    change = facts.get("change", "change_response")
    row, undoes = facts.get("row", ""), facts.get("undoes", "")
    return Entry("u", question, "", old, new, change, row, "me", "", "why", f"id{number:04d}", undoes)


def line() -> dict[str, Any]:
    answers = {"a": "1", "r": [{"r/x": "1"}, {}]}
    return {"id": "uuid:u", "form_version": "1", "refused": "", "deleted_at": "", "sealed": "", "answers": answers}


def some(random_: random.Random, number: int) -> Entry:
    question = random_.choice(["a", "b", "r/x", "nothing"])
    row = random_.choice(["1", "2", "3"]) if question == "r/x" else ""
    old, new = random_.choice(["", "1", "2", "3"]), random_.choice(["1", "2", "3"])
    kind = random_.random()
    if number and kind < 0.2:
        return entry(number, question, "", "", change="no_action", undoes=f"id{random_.randrange(number):04d}")
    change = "remove_survey" if kind < 0.25 else "blank_response" if kind < 0.4 else "change_response"
    return entry(number, question, old, new, change=change, row=row)


def test_what_an_answer_is_now_is_what_a_replay_of_all_entries_says():
    random_ = random.Random(5)
    for _ in range(60):
        known: list[Entry] = []
        running = Running(line(), known, QUESTIONS)
        for number in range(12):
            new = some(random_, number)
            known.append(new)
            running.add(new)
            made = replay(line(), known, QUESTIONS).line
            for question, row in (("a", ""), ("b", ""), ("r/x", "1"), ("r/x", "2")):
                cell, here = find_cell(made, question, row, QUESTIONS), running.cell(question, row)
                assert here is not None
                assert running.present(here) == ("" if made["refused"] else cell and cell.text)
            assert running.corrected() == made
            assert new.id in running


def test_an_entry_more_does_not_replay_those_before_it(monkeypatch):
    running = Running(line(), [], QUESTIONS)
    cell = running.cell("a", "")
    assert cell is not None
    assert running.present(cell) == "1"
    monkeypatch.setattr("dialogkit.correct.running.in_force", None)
    monkeypatch.setattr("dialogkit.correct.running.replay", None)
    for number in range(1000):
        running.add(entry(number, "a", running.present(cell), f"n{number}"))
    assert running.present(cell) == "n999"


def test_a_row_of_a_log_meets_each_entry_once():
    one, two = entry(1, "a", "1", "2"), entry(2, "a", "3", "2")
    twins = Twins([one, two], QUESTIONS)
    assert not twins.meet(entry(9, "a", "4", "2"))
    assert not twins.meet(entry(9, "a", "3", "5"))
    assert twins.meet(entry(9, "/a", "3", "2"))
    assert not twins.meet(two)
    assert twins.meet(entry(9, "a", "NA", "2"))
    assert not twins.meet(entry(9, "a", "", "2"))
    assert Twins([one], QUESTIONS).meet(entry(1, "b", "", "7"))
