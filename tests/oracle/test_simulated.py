"""What we make up, JavaRosa takes: it is the engine of the phones that nobody has to hold.

`DIALOGKIT_ORACLE_ROUNDS` says how many submissions each of the seven forms gets (1,000 for the full proof); with it the
forms of the corpus are made up too, some submissions each.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from dialogkit.errors import FormError
from dialogkit.forms.build import build_form
from dialogkit.forms.simulating.breaking import Breaker, Planted
from dialogkit.forms.simulating.kinds import KINDS
from dialogkit.forms.simulating.written import instance_of
from dialogkit.model.form import BuiltForm
from dialogkit.steps.simulate import simulator_of
from tests.oracle.harness import Oracle, Told
from tests.unit.test_simulate_walk import TYPES

FORMS = sorted((Path(__file__).parents[2] / "forms").glob("*.xlsx"))
CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "forms"
ROUNDS = int(os.environ.get("DIALOGKIT_ORACLE_ROUNDS", "0"))
TODAY = date(2026, 11, 20)
#: The noon after which no phone of a simulation saved anything.
NOON = "2026-11-20T12:00:00.000Z"
#: Kinds at which a phone itself stops, and the outcome that it then has.
STOPS = {
    "required-blank": "required",
    "required-blank-in-row": "required",
    "too-big": "constraint",
    "too-small": "constraint",
    "future-date": "constraint",
    "early-date": "constraint",
    "too-long": "constraint",
    "too-short": "constraint",
    "wrong-pattern": "constraint",
    "exclusive-choices": "constraint",
    "too-many-choices": "constraint",
}


def judged(oracle: Oracle, built: BuiltForm, some: list[Planted], root: str) -> list[Told]:
    told = oracle.judge(built, [instance_of(built.form, root, one) for one in some], NOON)
    assert not told.error
    return list(told.submissions)


def outcomes(told: list[Told]) -> Counter[tuple[str, str]]:
    return Counter(
        (one.outcome.status, one.outcome.path) if one.outcome else ("not read", one.error[:120]) for one in told
    )


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_javarosa_accepts_every_made_up_submission(oracle: Oracle, path: Path) -> None:
    built = build_form(path)
    simulator = simulator_of(built, 1, TODAY)
    some = [Planted(one) for one in simulator.submissions(ROUNDS or 12)]
    assert outcomes(judged(oracle, built, some, simulator.asked.root)) == {("accepted", ""): len(some)}


def test_javarosa_accepts_every_type_of_question(oracle: Oracle, tmp_path: Path) -> None:
    (tmp_path / "types.md").write_text(TYPES, encoding="utf-8")
    built = build_form(tmp_path / "types.md")
    simulator = simulator_of(built, 1, TODAY)
    some = [Planted(one) for one in simulator.submissions(ROUNDS or 20)]
    assert outcomes(judged(oracle, built, some, simulator.asked.root)) == {("accepted", ""): len(some)}


def test_every_question_of_the_seven_forms_is_reached_or_explained() -> None:
    for path in FORMS:
        simulator = simulator_of(build_form(path), 1, TODAY)
        for _ in simulator.submissions(max(ROUNDS, 50)):
            pass
        vague = [one for one, reason in simulator.report().unreached.items() if reason.startswith("no submission")]
        assert vague == [], path.stem


@pytest.mark.parametrize("name", ["local_dialogue", "funder_barriers"])
def test_javarosa_stops_where_the_break_says(oracle: Oracle, name: str) -> None:
    built = build_form(next(path for path in FORMS if path.stem == name))
    simulator = simulator_of(built, 2, TODAY)
    kinds = [kind for kind in KINDS if kind in STOPS]
    some = [one for one in Breaker(simulator, kinds).broken(simulator.submissions(max(ROUNDS, 30))) if one.kind]
    told = judged(oracle, built, some, simulator.asked.root)
    wrong = [
        (one.kind, said.outcome)
        for one, said in zip(some, told, strict=True)
        if said.outcome is None or said.outcome.status != STOPS[one.kind]
    ]
    assert wrong == []
    assert len({one.kind for one in some}) >= 8


#: Forms of the corpus whose logic stops JavaRosa itself: functions that it does not know (`property()`, `version()`)
#: or a repeat taken for one value. What we make up of them cannot be accepted.
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real forms is not beside this checkout")
@pytest.mark.skipif(not ROUNDS, reason="set DIALOGKIT_ORACLE_ROUNDS to make up submissions of the whole corpus")
def test_javarosa_accepts_made_up_submissions_of_nine_corpus_forms_in_ten(oracle: Oracle) -> None:
    refused: dict[str, Counter[tuple[str, str]]] = {}
    tried = 0
    for path in sorted(CORPUS.iterdir()):
        try:
            built = build_form(path)
        except FormError:
            continue
        simulator = simulator_of(built, 1, TODAY)
        some = [Planted(one) for one in simulator.submissions(min(ROUNDS, 10))]
        told = oracle.judge(built, [instance_of(built.form, simulator.asked.root, one) for one in some], NOON)
        if told.error:
            continue  # ODK Validate refuses the form
        tried += 1
        found = outcomes(list(told.submissions))
        if set(found) != {("accepted", "")}:
            refused[path.name] = found
    for name, found in refused.items():
        print(name, dict(found))
    assert tried > 100
    assert len(refused) <= tried / 10
