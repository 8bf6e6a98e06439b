"""Every real workbook of the corpus: read, built or refused with Problems, never a traceback."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from dialogkit import xml
from dialogkit.errors import FormError
from dialogkit.forms.build import build_form
from dialogkit.forms.lint import lint, unfit_to_serve
from dialogkit.forms.render import render_markdown
from dialogkit.model.form import BuiltForm, Form

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real forms is not beside this checkout"),
]


def rows() -> list[dict[str, str]]:
    with (CORPUS / "corpus.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def outcome(file: str) -> BuiltForm | FormError:
    try:
        return build_form(CORPUS / file)
    except FormError as error:
        return error


def built() -> Iterator[tuple[str, BuiltForm]]:
    for row in rows():
        one = outcome(row["file"])
        if isinstance(one, BuiltForm):
            yield row["file"], one


def test_the_verdict_agrees_with_what_was_measured() -> None:
    verdicts = {
        row["id"]: (isinstance(outcome(row["file"]), BuiltForm), row["pyxform_4.5.0"].startswith("ok"))
        for row in rows()
    }
    disagreements = sorted(name for name, (ours, measured) in verdicts.items() if ours != measured)
    print("disagreements:", disagreements or "none")
    assert len(verdicts) == 150
    assert len(verdicts) - len(disagreements) >= 145


def test_every_refusal_says_what_and_where_and_what_to_do() -> None:
    for row in rows():
        error = outcome(row["file"])
        if isinstance(error, FormError):
            for problem in error.problems or (error.problem,):
                assert problem.code.startswith("FORM-")
                assert problem.code not in {"FORM-019", "FORM-022"}, row["id"]
                assert row["file"] in problem.where
                assert problem.message
                assert problem.fix


def leaves(element: Element, above: str = "") -> Iterator[str]:
    for child in element:
        name = xml.local(child)
        path = f"{above}/{name}" if above else name
        if name == "meta" and len(child):
            continue
        if len(child):
            yield from leaves(child, path)
        else:
            yield path


def test_the_questions_are_exactly_the_leaves_of_the_instance() -> None:
    counted = 0
    for file, one in built():
        instance = next(element for element in xml.parse(one.xml).iter() if xml.local(element) == "instance")[0]
        empty_sections = {section.path for section in one.form.sections}
        assert set(leaves(instance)) - empty_sections == one.form.by_path.keys(), file
        assert len(one.form.by_path) == len(one.form.questions), file
        counted += len(one.form.questions)
    print("questions:", counted)
    assert counted > 2500


def test_every_question_knows_its_row() -> None:
    for file, one in built():
        assert [question.path for question in one.form.questions if not question.row] == [], file


def test_every_form_can_be_kept_and_checked() -> None:
    for file, one in built():
        assert Form.from_json(one.form.to_json()) == one.form, file
        for problem in (*lint(one.form, file), *unfit_to_serve(one.form)):
            assert problem.where


def test_every_form_rendered_as_markdown_builds_the_same(tmp_path: Path) -> None:
    for file, one in built():
        path = tmp_path / f"{Path(file).stem}.md"
        path.write_text(render_markdown(CORPUS / file), encoding="utf-8", newline="")
        again = build_form(path)
        assert again.form == one.form, file
        assert again.xml == one.xml, file
