"""The XLSForm that is uploaded: the same form for phones, and nothing of the file beside its texts."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook as OpenWorkbook
from openpyxl.comments import Comment

from dialogkit.forms.build import build_form
from dialogkit.forms.compare import compare
from dialogkit.forms.remote_copy import content_of, remote_copy, xlsx_bytes

MARKDOWN = """
| survey | type | name | label | calculation |
| | begin_group | g | G | |
| | text | said | What? | |
| | end_group | | | |
| settings | form_id | version |
| | it's a form | {version} |
"""
CSV = '"survey",,,\n,"type","name","label"\n,"text","said","What?"\n"settings",,,\n,"form_id","version",\n,"f","1",\n'
ROOT = Path(__file__).parents[2]


def copied(tmp_path: Path, path: Path, *, carried: bool = False) -> Path:
    form = build_form(path).form
    (tmp_path / "copy.xlsx").write_bytes(xlsx_bytes(remote_copy(path, {}, form if carried else None)))
    return tmp_path / "copy.xlsx"


@pytest.mark.parametrize("path", sorted((ROOT / "forms").glob("*.xlsx")), ids=lambda path: path.stem)
def test_a_copy_is_the_same_form(tmp_path: Path, path: Path) -> None:
    copy = build_form(copied(tmp_path, path))
    assert copy.form == build_form(path).form
    assert copy.xml == build_form(path).xml


@pytest.mark.parametrize(("name", "text"), [("f.md", MARKDOWN.format(version=1)), ("f.csv", CSV)])
def test_other_kinds_become_xlsx(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert build_form(copied(tmp_path, tmp_path / name)).form == build_form(tmp_path / name).form


@pytest.mark.parametrize(("version", "literal"), [("2026112001", "'2026112001'"), ("", "''")])
def test_the_copy_for_kobotoolbox_has_two_more_questions_and_they_are_quoted(
    tmp_path: Path, version: str, literal: str
) -> None:
    (tmp_path / "f.md").write_text(MARKDOWN.format(version=version))
    copy = build_form(copied(tmp_path, tmp_path / "f.md", carried=True)).form
    before = build_form(tmp_path / "f.md").form
    assert [change.path for change in compare(before, copy).changes if change.kind == "added"] == [
        "dialogkit_form_id",
        "dialogkit_form_version",
    ]
    assert copy.by_path["dialogkit_form_id"].calculation == """concat('it', "'", 's a form')"""
    assert copy.by_path["dialogkit_form_version"].calculation == literal


def test_a_survey_without_calculations_gets_the_column(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(CSV)
    copy = build_form(copied(tmp_path, tmp_path / "f.csv", carried=True)).form
    assert copy.by_path["dialogkit_form_id"].calculation == "'f'"


def test_comments_authors_and_other_sheets_stay_at_home(tmp_path: Path) -> None:
    book = OpenWorkbook()
    book.properties.creator = "Secret Author"
    survey = book.active
    survey.title = "survey"
    for row in (["type", "name", "label"], ["text", "said", "What?"]):
        survey.append(row)
    survey["A1"].comment = Comment("Secret remark", "Secret Author")
    book.create_sheet("people").append(["Secret person"])
    book.save(tmp_path / "f.xlsx")
    with zipfile.ZipFile(copied(tmp_path, tmp_path / "f.xlsx")) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"What?" in everything
    assert b"Secret" not in everything


def test_the_hash_tells_what_phones_meet(tmp_path: Path) -> None:
    path, file = tmp_path / "f.md", tmp_path / "a.png"
    file.write_bytes(b"png")

    def content(text: str) -> str:
        path.write_text(text)
        return content_of(remote_copy(path, {}), {"a.png": file})

    first = content(MARKDOWN.format(version=1))
    assert content(MARKDOWN.format(version=1)) == first
    assert content(MARKDOWN.format(version=1).replace("What?", "What else?")) != first
    assert content(MARKDOWN.format(version=2)) != first
    file.write_bytes(b"other")
    assert content(MARKDOWN.format(version=1)) != first


def test_columns_that_no_phone_meets_do_not_count(tmp_path: Path) -> None:
    hashes = set()
    for name, header in enumerate(["Concept", "disclosure", "was", "hxl"]):
        path = tmp_path / f"{name}.md"
        path.write_text(f"| survey | type | name | label | {header} |\n| | text | a | A | x{name} |\n")
        hashes.add(content_of(remote_copy(path, {}), {}))
    assert len(hashes) == 1
