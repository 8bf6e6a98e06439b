"""What the benchmarks measure with: the same for a seed, of the size and shape that the page names."""

from __future__ import annotations

from itertools import islice

import pytest

from dialogkit.forms.build import build_form
from dialogkit.model.form import Form
from tests.benchmarks.generate import NOT_ANSWERS, QUESTIONS, REPEAT, canonical, form_markdown, raw_line, submissions

ENVELOPE = {
    "_id",
    "_uuid",
    "_xform_id_string",
    "_attachments",
    "_status",
    "_geolocation",
    "_submission_time",
    "_tags",
    "_notes",
    "_validation_status",
    "_submitted_by",
}


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    path = tmp_path_factory.mktemp("bench") / "bench.md"
    path.write_text(form_markdown(), encoding="utf-8")
    return build_form(path).form


def test_a_seed_always_gives_the_same_submissions() -> None:
    assert list(submissions(200, seed=7)) == list(submissions(200, seed=7))
    assert next(submissions(1, seed=7)) != next(submissions(1, seed=8))


def test_a_shorter_run_is_the_start_of_a_longer_one() -> None:
    assert list(submissions(150)) == list(islice(submissions(10_000), 150))


def test_a_submission_has_about_2900_bytes_and_a_repeat_of_about_3_rows() -> None:
    made = list(submissions(1_000))
    assert 2_800 < sum(len(raw_line(one)) for one in made) / len(made) < 3_000
    assert 2.8 < sum(len(one.get(REPEAT, ())) for one in made) / len(made) < 3.2


def test_submissions_have_every_key_that_kobotoolbox_adds() -> None:
    for one in submissions(100):
        assert {key for key in one if key.startswith("_")} - {"__version__"} == ENVELOPE
        assert one.keys() >= NOT_ANSWERS
        assert one["meta/instanceID"] == one["meta/rootUuid"] == f"uuid:{one['_uuid']}"


def test_the_form_asks_60_questions_and_every_answer_has_its_question(form: Form) -> None:
    outside = [question.path for question in form.questions if not form.repeat_of(question.path)]
    assert sorted(outside) == sorted(asked.path for asked in QUESTIONS)
    assert len(outside) == 60
    assert form.repeats == {REPEAT}
    for one in submissions(300):
        answers = canonical(one)
        rows = answers.get(REPEAT, [])
        assert not isinstance(rows, str)
        for level in (answers, *rows):
            assert level.keys() <= {*form.by_path, REPEAT}


def test_one_submission_in_a_hundred_has_one_thing_wrong(form: Form) -> None:
    wrong = [number for number, one in enumerate(submissions(1_000), 1) if _faults(form, canonical(one))]
    assert wrong == list(range(100, 1_001, 100))


def _faults(form: Form, answers: dict[str, object]) -> list[str]:
    faults = []
    for question in form.questions:
        value = answers.get(question.path)
        if question.required and value is None and not form.repeat_of(question.path):
            faults.append(question.path)
        unknown = question.type == "select_one" and value == "option_99"
        if unknown or (question.type == "integer" and value is not None and not str(value).isdigit()):
            faults.append(question.path)
    return faults
