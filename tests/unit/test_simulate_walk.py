"""Whole submissions: every type, nested repeats, counts, defaults, filters, circles; valid by a replay of the form."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dialogkit.forms.build import build_form
from dialogkit.forms.simulating.breaking import Breaker, Planted
from dialogkit.forms.simulating.kinds import KINDS
from dialogkit.forms.simulating.simulator import Simulated, Simulator
from dialogkit.forms.simulating.written import files_of, instance_of
from dialogkit.instance import read_instance
from dialogkit.steps.simulate import simulator_of

TYPES = """
| survey |
| | type | name | label | required | constraint | default | parameters | relevant | calculation | choice_filter | repeat_count |
| | start | start | | | | | | | | | |
| | end | end | | | | | | | | | |
| | today | today | | | | | | | | | |
| | username | username | | | | | | | | | |
| | text | said | Said | yes | string-length(.) > 200 and string-length(.) < 220 | | | | | | |
| | integer | year | Year | yes | . >= 1900 and . <= int(format-date(today(), '%Y')) | | | | | | |
| | decimal | part | Part | yes | . > 0 and . < 0.01 | | | | | | |
| | range | mark | Mark | yes | | | start=0.5 end=2 step=0.5 | | | | |
| | date | day | Day | yes | . > date('2026-11-01') and . <= today() | | | | | | |
| | date | later | Later | yes | . >= ${day} | | | | | | |
| | time | clock | Clock | yes | | | | | | | |
| | dateTime | moment | Moment | yes | . <= now() | | | | | | |
| | geopoint | point | Point | yes | | | | | | | |
| | geotrace | trace | Trace | yes | | | | | | | |
| | geoshape | shape | Shape | yes | | | | | | | |
| | barcode | bar | Bar | yes | | | | | | | |
| | acknowledge | ok | OK | yes | | | | | | | |
| | image | photo | Photo | yes | | | | | | | |
| | file | paper | Paper | yes | | | | | | | |
| | select_one area | area | Area | yes | | | | | | | |
| | select_one town | town | Town | yes | | | | | | area = ${area} | |
| | select_multiple town | towns | Towns | yes | count-selected(.) = 2 | | | | | | |
| | rank area | ranked | Ranked | yes | | | | | | | |
| | text | code | Code | yes | regex(., '^[A-Z]{2}-[0-9]{3}$') | | | | | | |
| | text | kept | Kept | | | as it was | | | | | |
| | hidden | unseen | | | | given | | | | | |
| | integer | count | Count | yes | . >= 1 and . < 100 | | | | | | |
| | begin_repeat | outer | Outer | | | | | | | | ${count} |
| | integer | n | N | yes | . > position(..) * 10 | | | | | | |
| | calculate | place | | | | | | | position(..) | | |
| | begin_repeat | inner | Inner | | | | | ${n} mod 2 = 0 | | | |
| | integer | m | M | yes | . < ${n} | | | | | | |
| | end_repeat | | | | | | | | | | |
| | end_repeat | | | | | | | | | | |
| | calculate | total | | | | | | | sum(${m}) + ${count} | | |
| | note | rich | Rich | | | | | ${total} > 30 | | | |
| | text | why | Why | yes | | | | ${rich_too} = 1 | | | |
| | calculate | rich_too | | | | | | | if(${total} > 5, 1, 0) | | |
| choices |
| | list_name | name | label | area |
| | area | north | N | |
| | area | south | S | |
| | town | a | A | north |
| | town | b | B | north |
| | town | c | C | south |
| settings |
| | form_title | form_id | version |
| | Types | types | 1 |
"""  # noqa: E501 - a table


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Simulator:
    return made(tmp_path_factory.mktemp("types"), TYPES)


def made(folder: Path, form: str) -> Simulator:
    path = folder / "form.md"
    path.write_text(form, encoding="utf-8")
    return simulator_of(build_form(path), 1, date(2026, 11, 20))


@pytest.fixture(scope="module")
def some(simulator: Simulator) -> list[Simulated]:
    return list(simulator.submissions(40))


def leaves(answers: Any, name: str) -> Iterator[str]:
    for path, value in answers.items():
        if not isinstance(value, str):
            for row in value:
                yield from leaves(row, name)
        elif path.rpartition("/")[2] == name:
            yield value


def test_a_replay_finds_nothing_wrong_with_any_type(some: list[Simulated]) -> None:
    assert [one.offences for one in some if one.offences] == []


def test_everything_is_reached(simulator: Simulator, some: list[Simulated]) -> None:
    report = simulator.report()
    assert (report.unreached, report.unsatisfied, report.undecided) == ({}, {}, {})
    assert report.submissions == len(some)


def test_a_question_that_is_read_before_it_is_asked_is_known(some: list[Simulated]) -> None:
    assert all(bool(one.answers.get("why")) == (one.answers["rich_too"] == "1") for one in some)


def test_rows_are_as_many_as_the_count_says_and_mostly_few(some: list[Simulated]) -> None:
    counts = [int(str(one.answers["count"])) for one in some]
    assert [len(one.answers.get("outer", ())) for one in some] == counts
    assert sorted(counts)[len(counts) // 2] <= 7


def test_defaults_stay_or_are_changed_and_what_nobody_sees_stays(some: list[Simulated]) -> None:
    assert len({one.answers.get("kept", "") for one in some}) > 2
    assert "as it was" in {one.answers.get("kept") for one in some}
    assert {one.answers["unseen"] for one in some} == {"given"}


def test_every_choice_is_chosen_about_as_often(some: list[Simulated]) -> None:
    chosen = [str(one.answers["area"]) for one in some]
    assert 12 <= chosen.count("north") <= 28
    assert {word for one in some for word in str(one.answers["towns"]).split()} == {"a", "b", "c"}


def test_nobody_is_named_and_no_submission_comes_from_the_future(some: list[Simulated]) -> None:
    assert {one.answers["username"] for one in some} == {"simulated"}
    assert all(str(one.answers["start"]) < str(one.answers["end"]) < "2026-11-20T12:00:01" for one in some)
    assert {one.answers["today"] for one in some} == {"2026-11-20"}


def test_repeats_have_none_to_three_rows_where_nothing_counts_them(some: list[Simulated]) -> None:
    rows = [len(row.get("outer/inner", ())) for one in some for row in one.answers["outer"] if isinstance(row, dict)]
    assert set(rows) == {0, 1, 2, 3}


def test_another_seed_makes_others(tmp_path: Path, some: list[Simulated]) -> None:
    other = made(tmp_path, TYPES)
    other.seed = 2
    assert next(other.submissions(1)).answers != some[0].answers


def test_what_is_written_is_read_again_without_the_mark(simulator: Simulator, some: list[Simulated]) -> None:
    form = simulator.built.form
    for one in some:
        data = instance_of(form, simulator.asked.root, Planted(one, kind="too-big"))
        again = read_instance(data, form.repeats)
        assert plain(again.answers) == plain(one.answers)
        assert (again.instance_id, again.form_version) == (one.instance_id, "1")
        assert b'dialogkit:synthetic="too-big"' in data
        assert set(files_of(form, one.answers)) == {*leaves(one.answers, "photo"), *leaves(one.answers, "paper")}


def test_an_unknown_question_and_version_are_written_as_told(simulator: Simulator, some: list[Simulated]) -> None:
    data = instance_of(simulator.built.form, simulator.asked.root, Planted(some[0], version="9 & 9", unknown="odd"))
    again = read_instance(data, simulator.built.form.repeats)
    assert (again.form_version, again.answers["odd"]) == ("9 & 9", "made up")
    assert plain(again.answers) == plain({**some[0].answers, "odd": "made up"})


def plain(answers: Any) -> Any:
    """Without what says nothing: a repeat without rows."""
    return {
        path: value if isinstance(value, str) else [plain(row) for row in value]
        for path, value in answers.items()
        if value
    }


LOST = """
| survey |
| | type | name | label | relevant | constraint | required | calculation |
| | integer | a | A | | . > 5 and . < 3 | yes | |
| | integer | x | X | | . >= 0 | yes | |
| | integer | y | Y | | . >= 0 | yes | |
| | calculate | sum | | | . = 100 | | ${x} + ${y} |
| | text | p | P | | regex(., '(?=a)b') | yes | |
| | text | q | Q | ${sum} != 100 | | | |
| settings |
| | form_title | form_id | version |
| | Lost | lost | 1 |
"""


def test_what_cannot_be_met_is_told_and_sums_are_met(tmp_path: Path) -> None:
    simulator = made(tmp_path, LOST)
    some = list(simulator.submissions(8))
    report = simulator.report()
    assert set(report.unsatisfied) == {"a", "p"}
    assert report.broken == 8
    assert {one.answers["sum"] for one in some} == {"100"}


FILTERED = """
| survey |
| | type | name | label | choice_filter | required |
| | select_one ab | x | X | name != 'b' | yes |
| choices |
| | list_name | name | label |
| | ab | a | A |
| | ab | b | B |
| settings |
| | form_title | form_id | version |
| | Filtered | filtered | 1 |
"""


def test_a_choice_that_no_filter_offers_is_told(tmp_path: Path) -> None:
    simulator = made(tmp_path, FILTERED)
    assert {one.answers["x"] for one in simulator.submissions(5)} == {"a"}
    assert simulator.report().never_offered == {"x": ["b"]}


def test_each_break_is_what_it_says(simulator: Simulator) -> None:
    kinds = [kind for kind in KINDS if kind != "forged-gate"]
    breaker = Breaker(simulator, kinds)
    for one in breaker.broken(simulator.submissions(70)):
        if one.kind and one.expected[0].rule in ("FORM-REQUIRED", "FORM-CONSTRAINT", "FORM-CALCULATION", "FORM-COUNT"):
            assert set(one.expected) <= set(one.submission.offences), one.kind
    missing = set(kinds) - breaker.planted.keys()
    assert missing <= {"irrelevant-row", "irrelevant-group", "yes-without-row", "exclusive-choices"}
