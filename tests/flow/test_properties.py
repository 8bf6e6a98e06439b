"""Random forms in several versions, answered at random: nothing is lost, and how it arrives does not matter."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dialogkit.model.form import Form
from dialogkit.model.server import Received
from dialogkit.steps.rebuild import rebuild
from tests.accounting import account
from tests.builders import make_form, received
from tests.properties import World, differences, nothing, too_kind, worlds
from tests.random_answers import HOSTILE, Answerer, random_submission
from tests.random_forms import TYPES, random_versions

#: How often more than in CI: DIALOGKIT_PROPERTY_ROUNDS=10 for ten times as many seeds.
_TIMES: Final = int(os.environ.get("DIALOGKIT_PROPERTY_ROUNDS", "1"))
SEEDS: Final = st.integers(0, 2**32 - 1)


def rounds(number: int) -> Callable[..., object]:
    """So many seeds; a failure names its seed, and there is nothing smaller to look for in a seed."""
    return settings(
        max_examples=number * _TIMES,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@contextmanager
def case(seed: int, most: int = 4) -> Iterator[tuple[Random, list[Form], Callable[..., World]]]:
    """Chance, the versions of a form, and a maker of workspaces with them; a failure tells the form."""
    rng = Random(seed)
    forms = random_versions(rng, most=most)
    with worlds() as make:
        try:
            yield rng, forms, lambda **facts: make(forms, **facts)
        except BaseException as error:
            error.add_note(f"seed {seed}; {told(forms)}")
            raise


def told(forms: Sequence[Form]) -> str:
    """A form in short."""
    kinds = {path: "repeat" for form in forms for path in form.repeats}
    return "\n".join(
        f"version {form.version}: "
        + ", ".join(
            [f"{one.path}={one.type}{f' was {one.was}' if one.was else ''}" for one in form.questions]
            + [f"{path}=repeat" for path in kinds if path in form.repeats]
        )
        for form in forms
    )


def several(rng: Random, forms: Sequence[Form], number: int) -> list[Received]:
    return [random_submission(rng, forms, n) for n in range(number)]


def checked(world: World, some: Sequence[Received], here: Sequence[Received] = ()) -> None:
    """Deliver one batch; then every answer of it has one place, and no cell holds more than its text says.

    `here` is all that the warehouse should then have, when that is more.
    """
    world.deliver(some)
    with world.opened() as db:
        if world.known:  # otherwise a later batch may know better which questions are one, and columns part
            nothing(too_kind(db, here or some))
        account(db, world.landed[-1])


def same(one: World, other: World) -> None:
    nothing(differences(one.content(), other.content()))


def test_every_hostile_text_in_a_question_of_every_type_is_read_by_its_form_or_not_at_all():
    form = make_form("f", "1", [(kind, f"q_{kind}") for kind in TYPES if kind != "note"])
    some = [
        received(form, dict.fromkeys(form.by_path, text), f"uuid:{number}", body=b"<data/>")
        for number, text in enumerate(HOSTILE)
    ]
    with worlds() as make:
        checked(make([form]), some)


@given(SEEDS)
@rounds(7)
def test_every_answer_ends_in_one_place_whatever_the_workspace_knows(seed):
    with case(seed) as (rng, forms, make):
        world = make(known=rng.random() < 0.6)
        done: list[Received] = []
        for number in range(rng.randint(1, 3)):
            some = [random_submission(rng, forms, 100 * number + n) for n in range(rng.randint(1, 12))]
            done += some
            checked(world, some, done)


@given(SEEDS)
@rounds(4)
def test_the_order_of_arrival_and_the_borders_of_batches_do_not_matter(seed):
    with case(seed) as (rng, forms, make):
        some = several(rng, forms, rng.randint(2, 12))
        first = make()
        checked(first, some)
        for number in (2, len(some)):
            other, mixed = make(), rng.sample(some, len(some))
            for start in range(number):
                if portion := mixed[start::number]:
                    other.deliver(portion)
            same(first, other)


@given(SEEDS)
@rounds(3)
def test_landing_again_changes_nothing_and_an_edit_replaces_its_own_rows_alone(seed):
    with case(seed) as (rng, forms, make):
        some = several(rng, forms, rng.randint(2, 8))
        world = make()
        checked(world, some)
        before = world.content()
        world.land()
        nothing(differences(before, world.content()))
        world.deliver(rng.sample(some, len(some)))
        nothing(differences(before, world.content()))
        edited = [edition(rng, forms, one) for one in rng.sample(some, rng.randint(1, 2))]
        ids = {one.submission.id for one in edited}
        rest = [one for one in some if one.submission.id not in ids]
        checked(world, edited, [*rest, *edited])
        fresh = make()
        fresh.deliver([*rest, *edited])
        now, anew = world.content("accepted", "held", "identifiers"), fresh.content("accepted", "held", "identifiers")
        nothing(differences(now, anew))
        for book in ("ops.issues", "ops.drift", "ops.violations", "ops.attachments"):
            here, there = ({book: one.content("ops").get(book, [])} for one in (world, fresh))
            nothing(differences(here, there))


def test_a_question_renamed_and_retyped_loses_no_answer_of_a_phone_with_another_version():
    forms = [make_form("f", "1", [("text", "a")]), make_form("f", "2", [("decimal", "b", {"was": "a"})])]
    said = [{"a": "said"}, {"a": "12"}, {"b": "12"}, {"b": "said"}, {"a": "said", "b": "12"}]
    some = [
        received(forms[1], answers, f"uuid:{n} of {version}", version=version, body=b"<data/>")
        for version in ("1", "2", "unheard of", "")
        for n, answers in enumerate(said)
    ]
    with worlds() as make:
        checked(make(forms), some)


def test_a_key_that_no_form_could_have_is_drift_at_every_level():
    form = make_form("f", "1", [("text", "a"), ("repeat", "r"), ("repeat", "r/s"), ("text", "r/s/b")])
    some = []
    for key in ("*", 'a"b', '"', "\\", "", "x[]", "r[]", "r/s[]", "r/s/b[]", "a/b", "~1"):
        answers = {key: "1", "r": [{key: "2", "r/s": [{key: "3", "r/s/b": "x"}]}]}
        some.append(received(form, answers, f"uuid:{len(some)}", body=b"<data/>"))
    with worlds() as make:
        checked(make([form]), some)


def test_rows_of_a_repeat_where_it_does_not_belong_are_drift():
    form = make_form("f", "1", [("text", "a"), ("repeat", "r"), ("repeat", "r/s"), ("text", "r/s/b")])
    for answers in ({"r/s": [{"x": "1"}]}, {"u": [{"r": [{"x": "1"}]}]}, {"r": [{"r": [{"r/s": [{"x": "1"}]}]}]}):
        with worlds() as make:
            checked(make([form], judged=False), [received(form, answers, body=b"<data/>")])


def test_keys_of_rows_below_a_section_that_repeats_in_one_version_only_are_drift():
    asked = [("repeat", "o/r"), ("text", "o/r/t")]
    forms = [make_form("f", "1", asked), make_form("f", "2", [("repeat", "o"), *asked])]
    some = [
        received(forms[0], {"o/r": [{"new": "x"}]}, "uuid:1", body=b"<data/>"),
        received(forms[1], {"o": [{"o/r": [{"new": "y"}]}]}, "uuid:2", body=b"<data/>"),
    ]
    with worlds() as make:
        checked(make(forms), some)


def test_names_of_columns_for_content_do_not_depend_on_what_came_first():
    names = ["a_name_of_sixty_AAAA_that_somebody_wrote_into_a_sheet_x", "السؤال", "q"]
    twins = ["a_name_of_sixty_BBBB_that_somebody_wrote_into_a_sheet_x", "题", "Q"]
    form = make_form("f", "1", [("calculate", name) for name in (*names, *twins, "q__number")])
    one, other = (received(form, dict.fromkeys(some, "1"), some[0], body=b"<data/>") for some in (names, twins))
    with worlds() as make:
        here, there = make([form], judged=False), make([form], judged=False)
        for first, second, world in ((one, other, here), (other, one, there)):
            world.deliver([first])
            world.deliver([second])
        same(here, there)


def edition(rng: Random, forms: Sequence[Form], one: Received) -> Received:
    """The same submission, answered anew."""
    number = one.submission.id.removeprefix("uuid:")
    again = random_submission(rng, forms, int(number))
    return replace(again, submission=replace(again.submission, instance_id=f"uuid:{number}-edited", edited=True))


@given(SEEDS)
@rounds(2)
def test_a_warehouse_made_anew_from_its_batches_is_equal(seed):
    with case(seed) as (rng, forms, make):
        world = make()
        some = several(rng, forms, rng.randint(2, 6))
        world.deliver(some)
        world.deliver([edition(rng, forms, one) for one in some[:2]])
        before = world.content()
        rebuild(world.workspace)
        nothing(differences(before, world.content()))


@given(SEEDS)
@rounds(1)
def test_a_thousand_rows_and_three_repeats_deep_land_as_any_other(seed):
    rng = Random(seed)
    asked = [("text", "a"), ("repeat", "r"), ("integer", "r/n"), ("repeat", "r/s"), ("date", "r/s/d")]
    form = make_form("f", "1", [*asked, ("repeat", "r/s/t"), ("select_multiple", "r/s/t/m", {"choices": ["x", "y"]})])
    with worlds() as make:
        world = make([form])
        long = Answerer(rng, form, strange=False, shapes=False).answers()
        long["r"] = [
            {"r/n": str(n), "r/s": [{"r/s/d": "2026-11-20", "r/s/t": [{}, {"r/s/t/m": "y x"}]}]} for n in range(1000)
        ]
        checked(world, [received(form, long, "uuid:long", body=b"<data/>"), *several(rng, [form], 3)])
