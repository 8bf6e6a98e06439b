"""Random submissions of random real forms: every answer ends in one place, however and in which order it arrives."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random, SystemRandom
from typing import Final

import pytest

from dialogkit.errors import FormError
from dialogkit.forms.build import build_form
from dialogkit.model.form import Form
from dialogkit.model.server import Received
from tests.accounting import account
from tests.properties import World, differences, nothing, too_kind, worlds
from tests.random_answers import random_submission
from tests.random_forms import TYPES

CORPUS: Final = Path(__file__).parents[2].parent / "shared" / "corpus"
#: How often more than in CI, and the seed of an earlier run.
_TIMES: Final = int(os.environ.get("DIALOGKIT_PROPERTY_ROUNDS", "1"))
_SEED: Final = int(os.environ.get("DIALOGKIT_PROPERTY_SEED", "0")) or SystemRandom().randrange(1, 2**32)
_FORMS: Final = 10
_SMALL: Final = 40

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real forms is not beside this checkout"),
]


def chosen(rng: Random) -> list[Form]:
    """So many forms of the corpus that build."""
    with (CORPUS / "corpus.csv").open(encoding="utf-8", newline="") as file:
        names = [row["file"] for row in csv.DictReader(file) if row["pyxform_4.5.0"].startswith("ok")]
    found = []
    for name in rng.sample(names, min(len(names), _FORMS * _TIMES)):
        try:
            found.append(build_form(CORPUS / name).form)
        except FormError:
            continue
    return found


def newer(rng: Random, form: Form) -> Form:
    """A version after it: some questions are gone, some have another type."""
    questions = [
        replace(one, type=rng.choice(TYPES)) if one.has_answer and rng.random() < 0.1 else one
        for one in form.questions
        if rng.random() < 0.9
    ]
    return replace(form, version=f"{form.version}+", questions=tuple(questions))


def test_every_answer_to_real_forms_ends_in_one_place_in_any_order_and_any_batches() -> None:
    for number, form in enumerate(chosen(Random(_SEED))):
        seed = f"{_SEED}/{number}"
        rng = Random(seed)
        forms = [form, newer(rng, form)] if rng.random() < 0.5 else [form]
        try:
            check(rng, forms)
        except BaseException as error:
            error.add_note(f"form {form.form_id}, seed {seed}: DIALOGKIT_PROPERTY_SEED={_SEED}")
            raise


def check(rng: Random, forms: Sequence[Form]) -> None:
    some = [random_submission(rng, forms, n) for n in range(rng.randint(3, 8))]
    # The rules of a large form cost seconds.
    judged = len(forms[0].questions) <= _SMALL and rng.random() < 0.3
    with worlds() as make:
        one, other = (make(forms, judged=judged) for _ in range(2))
        one.deliver(some)
        found_in(one, some)
        mixed = rng.sample(some, len(some))
        for start in range(2):
            other.deliver(mixed[start::2])
        nothing(differences(one.content(), other.content()))


def found_in(world: World, some: Sequence[Received]) -> None:
    with world.opened() as db:
        nothing(too_kind(db, some))
        account(db, world.landed[-1])
