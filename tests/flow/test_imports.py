"""Imports: values from published pages, each with its source, on the way into `ops.sources`."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from dialogkit.errors import BatchError
from dialogkit.pull.batches import batches, open_batch
from dialogkit.pull.imports import read_values, submissions_of
from dialogkit.steps.imports import import_file
from dialogkit.steps.land import land
from dialogkit.warehouse.connect import reading
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import make_form, rows_of

FORM = make_form(
    "visit",
    "1",
    [
        ("text", "g/source_ref", {"concept": "meta.source_ref"}),
        ("text", "g/title"),
        ("integer", "g/n"),
        ("calculate", "g/double", {"calculation": "${n} * 2"}),
        ("note", "g/remark"),
        ("repeat", "rep_barrier"),
        ("select_multiple", "rep_barrier/kinds", {"choices": ["a", "b"]}),
        ("text", "a/twice"),
        ("text", "b/twice"),
    ],
)
HEAD = "record,table,field,value,how,source_sentence\n"
PAGE = "D1,,source_ref,The page,import,\n"
COLUMNS = "record, table, field, value, how, source_sentence"


def values_of(tmp_path, text, name="values.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_values(path, "us")


def records_of(tmp_path, text):
    return submissions_of(FORM, values_of(tmp_path, HEAD + text), "values.csv", date(2026, 11, 20))


def problems_of(tmp_path, text):
    with pytest.raises(BatchError) as caught:
        records_of(tmp_path, text)
    error = caught.value
    assert (error.code, error.where, error.exit_code) == ("BATCH-011", "values.csv", 6)
    assert error.problem.message == (f"{len(error.problems)} values do not fit the form visit. Nothing was imported.")
    assert error.fix == "Correct them in the file and import it again."
    return error.problems


def test_a_record_becomes_a_submission_with_the_sentence_of_each_value(tmp_path):
    text = PAGE + 'D1,,n,3,stated,"Three came, she said."\n'
    text += "D1,rep_barrier[2],kinds,b,coded,B.\nD1,rep_barrier[1],kinds,a b,coded,A.\n"
    (record,) = records_of(tmp_path, text)
    assert record.answers == {
        "g/source_ref": "The page",
        "g/n": "3",
        "g/double": "6",
        "rep_barrier": [{"rep_barrier/kinds": "a b"}, {"rep_barrier/kinds": "b"}],
    }
    assert record.sources[1] == {
        "row": "",
        "path": "g/n",
        "how": "stated",
        "coded_by": "us",
        "source_sentence": "Three came, she said.",
        "source_ref": "The page",
    }
    assert {(source["path"], source["row"]) for source in record.sources} == {
        ("g/source_ref", ""),
        ("g/n", ""),
        ("rep_barrier/kinds", "1"),
        ("rep_barrier/kinds", "2"),
    }


def test_a_gap_in_the_numbers_of_rows_is_closed_and_the_sources_follow(tmp_path):
    (record,) = records_of(tmp_path, PAGE + "D1,rep_barrier[7],kinds,a,coded,A.\nD1,rep_barrier[3],kinds,b,coded,B.\n")
    assert record.answers["rep_barrier"] == [{"rep_barrier/kinds": "b"}, {"rep_barrier/kinds": "a"}]
    rows = {source["row"]: source["source_sentence"] for source in record.sources if source["row"]}
    assert rows == {"1": "B.", "2": "A."}


def test_the_id_is_that_of_the_record_and_the_edition_that_of_its_content(tmp_path):
    one, again, other, changed = (
        records_of(tmp_path, text)[0]
        for text in (
            PAGE + "D1,,n,3,stated,S.\n",
            PAGE + "D1,,n,3,stated,S.\n",
            PAGE.replace("D1", "D2") + "D2,,n,3,stated,S.\n",
            PAGE + "D1,,n,4,stated,S.\n",
        )
    )
    assert (one.submission_id, one.instance_id) == (again.submission_id, again.instance_id)
    assert one.submission_id == changed.submission_id != other.submission_id
    assert one.instance_id != changed.instance_id


def test_a_csv_may_say_who_coded_each_value_and_begin_with_a_mark(tmp_path):
    text = "\ufeff" + HEAD.strip() + ",coded_by\nD1,,n,3,coded,S.,Lea\nD1,,title,T,coded,S.,\n"
    assert [value.coded_by for value in values_of(tmp_path, text)] == ["Lea", "us"]


def test_json_is_read_as_well(tmp_path):
    rows = [{"table": "", "field": "n", "value": 3, "how": "stated", "source": "S."}]
    (value,) = values_of(tmp_path, json.dumps({"D1": {"rows": rows}}), "values.json")
    assert (value.record, value.value, value.sentence, value.place) == ("D1", "3", "S.", "record D1, value 1")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("values.csv", HEAD.encode() + b"D1,,n,\xff,stated,S.\n"),
        ("values.csv", HEAD + 'D1,,n,"3,stated,S.\n'),
        ("values.csv", HEAD + "D1,,n\n"),
        ("values.json", "{"),
        ("values.json", "[]"),
        ("values.json", '{"D1": []}'),
        ("values.json", '{"D1": {"rows": [{"field": "n"}]}}'),
        (
            "values.json",
            '{"D1": {"rows": [{"table": null, "field": "n", "value": "1", "how": "stated", "source": "S"}]}}',
        ),
        ("values.json", '{"D1": {"rows": [{"table": "", "field": [], "value": "1", "how": "stated", "source": "S"}]}}'),
        ("values.json", '{"D1": {"rows": [{"table": "", "field": "n", "value": "1", "how": {}, "source": "S"}]}}'),
        ("values.json", '{"D1": {"rows": [{"table": "", "field": "n", "value": "1", "how": "stated", "source": 3}]}}'),
        (
            "values.json",
            '{"D1": {"rows": [{"table": "", "field": "n", "value": [1], "how": "stated", "source": "S"}]}}',
        ),
    ],
)
def test_batch_010_a_file_that_holds_no_values(tmp_path, name, text):
    with pytest.raises(BatchError) as caught:
        values_of(tmp_path, text, name)
    assert str(caught.value) == (
        f"error[BATCH-010] {name}\n"
        "  The file cannot be read as values to import.\n"
        f"  Use a CSV file in UTF-8 with the columns {COLUMNS}."
    )


def test_batch_010_no_file(tmp_path):
    with pytest.raises(BatchError, match="BATCH-010"):
        read_values(tmp_path / "none.csv", "us")


@pytest.mark.parametrize("text", ["", "record,field,value,how,source_sentence\nD1,n,3,stated,S.\n"])
def test_batch_012_columns_that_are_missing_are_named(tmp_path, text):
    with pytest.raises(BatchError) as caught:
        values_of(tmp_path, text)
    missing = "table" if text else COLUMNS
    assert str(caught.value) == (
        f"error[BATCH-012] values.csv\n  Columns are missing: {missing}.\n  Add them: {COLUMNS}."
    )


@pytest.mark.parametrize(
    ("table", "field", "said"),
    [
        ("", "nn", "the main table"),
        ("", "kinds", "the main table"),
        ("", "remark", "the main table"),
        ("", "twice", "the main table"),
        ("rep_barrier[1]", "n", "rep_barrier[1]"),
        ("rep_barrier", "kinds", "rep_barrier"),
        ("rep_barrier[0]", "kinds", "rep_barrier[0]"),
        ("rep_other[1]", "kinds", "rep_other[1]"),
    ],
)
def test_batch_013_a_value_of_no_question(tmp_path, table, field, said):
    (problem,) = problems_of(tmp_path, PAGE + f"D1,{table},{field},Zebracorn,stated,S.\n")
    assert str(problem) == (
        "error[BATCH-013] values.csv, line 3\n"
        f"  {field} is not a question of {said} in visit.\n"
        "  Correct field or table; a row of a repeat is written rep_name[1], rep_name[2]…"
    )


def test_batch_014_how_is_one_of_three_ways(tmp_path):
    (problem,) = problems_of(tmp_path, PAGE + "D1,,n,3,guessed,S.\n")
    assert str(problem) == (
        "error[BATCH-014] values.csv, line 3\n  how is not one of the three ways.\n  Use: stated, coded, import."
    )


@pytest.mark.parametrize("how", ["stated", "coded"])
def test_batch_015_a_value_has_its_sentence(tmp_path, how):
    (problem,) = problems_of(tmp_path, PAGE + f"D1,,n,3,{how},  \n")
    assert str(problem) == (
        "error[BATCH-015] values.csv, line 3\n"
        "  The value of n has no source sentence.\n"
        "  Add the sentence of the page that says it."
    )


def test_batch_016_a_question_has_one_value_a_row(tmp_path):
    text = PAGE + "D1,,n,3,stated,S.\nD1,,n,4,stated,S.\n"
    text += "D1,rep_barrier[1],kinds,a,coded,S.\nD1,rep_barrier[1],kinds,b,coded,S.\n"
    first, second = problems_of(tmp_path, text)
    assert str(first) == (
        "error[BATCH-016] values.csv, line 4\n"
        "  n has two values in one record.\n"
        "  Keep one; codes of a select_multiple stand in one value, with spaces between."
    )
    assert second.where == "values.csv, line 6"


def test_batch_017_a_record_names_its_page(tmp_path):
    first, second = problems_of(tmp_path, "D1,,n,3,stated,S.\nD2,,source_ref, ,import,\n")
    assert str(first) == (
        "error[BATCH-017] values.csv, record D1\n"
        "  The record does not name the published page that it was read from (source_ref).\n"
        "  Add a row with field source_ref, its value the title or address of the page, how = import."
    )
    assert second.where == "values.csv, record D2"


@pytest.mark.parametrize("sign", ["\x0b", "\x00", "\ufffe"])
def test_batch_018_a_value_with_a_sign_that_cannot_be_sent(tmp_path, sign):
    (problem,) = problems_of(tmp_path, PAGE + f"D1,,title,Zebra{sign}corn,stated,S.\n")
    assert str(problem) == (
        "error[BATCH-018] values.csv, line 3\n"
        "  The value of title holds a control character.\n"
        "  Type the value anew in the file."
    )


def test_batch_019_a_sentence_is_not_cut_at_a_comma_that_nobody_quoted(tmp_path):
    with pytest.raises(BatchError) as caught:
        values_of(tmp_path, HEAD + PAGE + "D1,,n,3,stated,It was so, she said\n")
    assert str(caught.value) == (
        "error[BATCH-019] values.csv, line 3\n"
        "  The line has more cells than the first line of the file.\n"
        '  Put a text that holds a comma between double quotes: "It was so, she said"'
    )


def test_batch_020_a_value_belongs_to_a_record(tmp_path):
    (problem,) = problems_of(tmp_path, PAGE + " ,,n,3,stated,S.\n")
    assert str(problem) == (
        "error[BATCH-020] values.csv, line 3\n  The value belongs to no record.\n  Fill the column record."
    )


def test_every_problem_of_a_file_is_told_at_once(tmp_path):
    text = "D1,,nn,3,stated,S.\nD1,,n,3,guessed,S.\nD1,,n,3,stated,\nD2,,n,1,stated,S.\n"
    codes = [problem.code for problem in problems_of(tmp_path, text)]
    assert codes == ["BATCH-013", "BATCH-014", "BATCH-015", "BATCH-017"]


# --- the whole way

SHEET = """
| survey  |                 |            |            |                 |            |
|         | type            | name       | label      | concept         | disclosure |
|         | text            | source_ref | Source     | meta.source_ref | none       |
|         | text            | title      | Title      |                 | none       |
|         | integer         | n          | How many   |                 | none       |
|         | begin_repeat    | rep_item   | Items      |                 |            |
|         | text            | what       | What       |                 | none       |
|         | end_repeat      |            |            |                 |            |
| settings |                |            |            |                 |            |
|         | form_id         | form_title | version    |                 |            |
|         | visit           | Visit      | 1          |                 |            |
"""


@pytest.fixture
def place(tmp_path) -> Workspace:
    (tmp_path / "visit.md").write_text(SHEET)
    (tmp_path / "dialogkit.toml").write_text('[forms.visit]\nfile = "visit.md"\n')
    return open_workspace(tmp_path)


def bring(place, text):
    path = Path(place.root) / "values.csv"
    path.write_text(HEAD + text)
    count = import_file(place, "visit", path, "us")
    (landed,) = land(place) or [None]
    return count, landed


def test_importing_again_changes_nothing_and_an_edited_value_replaces(place):
    text = PAGE + "D1,,n,3,stated,Three.\nD1,rep_item[1],what,W,coded,What.\n"
    count, landed = bring(place, text)
    assert (count, landed.accepted) == (1, 1)
    with reading(place.warehouse) as db:
        rows, sources = rows_of(db, "FROM accepted.visit"), rows_of(db, "FROM ops.sources ORDER BY ALL")
    assert (rows[0]["n"], rows[0]["_origin"], len(sources)) == (3, "import", 3)
    _, landed = bring(place, text)
    assert (landed.pulled, landed.already_known) == (1, 1)
    with reading(place.warehouse) as db:
        assert rows_of(db, "FROM accepted.visit") == rows
        assert rows_of(db, "FROM ops.sources ORDER BY ALL") == sources
    _, landed = bring(place, text.replace("n,3,stated,Three", "n,4,stated,Four"))
    assert landed.accepted == 1
    with reading(place.warehouse) as db:
        assert rows_of(db, "SELECT n FROM accepted.visit") == [{"n": 4}]
        assert rows_of(
            db, "SELECT source_sentence AS s, how, coded_by, source_ref, row FROM ops.sources ORDER BY 1"
        ) == [
            {"s": "", "how": "import", "coded_by": "us", "source_ref": "The page", "row": ""},
            {"s": "Four.", "how": "stated", "coded_by": "us", "source_ref": "The page", "row": ""},
            {"s": "What.", "how": "coded", "coded_by": "us", "source_ref": "The page", "row": "1"},
        ]


def test_a_corrected_sentence_replaces_the_old_one(place):
    bring(place, PAGE + "D1,,n,3,stated,Thre.\n")
    bring(place, PAGE + "D1,,n,3,stated,Three.\n")
    with reading(place.warehouse) as db:
        sentences = [row["source_sentence"] for row in rows_of(db, "FROM ops.sources WHERE path = 'n'")]
    assert sentences == ["Three."]


def test_a_file_with_one_bad_value_imports_nothing(place):
    path = Path(place.root) / "values.csv"
    path.write_text(HEAD + PAGE + "D1,,n,3,stated,S.\nD2,,nn,3,stated,S.\n")
    with pytest.raises(BatchError, match="BATCH-011"):
        import_file(place, "visit", path, "us")
    assert batches(place.batches, "visit") == []


def test_an_import_is_a_batch_of_its_own_origin_with_its_sources(place):
    bring(place, PAGE)
    (path,) = batches(place.batches, "visit")
    batch = open_batch(path)
    assert (batch.manifest.origin, batch.manifest.server, batch.manifest.cursor) == ("import", "", None)
    assert batch.manifest.counts["attachments"] == 1


def test_batch_021_a_record_that_would_be_refused_is_told_before_it_is_written(workspace, tmp_path):
    path = tmp_path / "values.csv"
    path.write_text(HEAD + "X-D01,,source_ref,The page,import,\nX-D01,,dialogue_code,MEX-D09,import,\n")
    with pytest.raises(BatchError) as caught:
        import_file(workspace, "local_dialogue", path, "us")
    (problem,) = caught.value.problems
    assert (problem.code, problem.where) == ("BATCH-021", "values.csv, record X-D01")
    assert "consent_basis = public_source" in problem.fix
    assert batches(workspace.batches, "local_dialogue") == []
