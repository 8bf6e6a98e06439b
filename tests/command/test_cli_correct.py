"""`dialogkit correct`: what it says, what it writes, and what it refuses."""

from __future__ import annotations

import csv
import json
import re
import shutil
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from dialogkit.cli.main import cli
from dialogkit.steps.land import land
from dialogkit.workspace import open_workspace
from tests.builders import make_form, received, write_batch

FORM = make_form(
    "visit",
    "1",
    [
        ("text", "said"),
        ("text", "g/word"),
        ("text", "h/word"),
        ("integer", "g/age", {"constraint": ". < 120"}),
        ("date", "day", {"constraint": ". <= today()"}),
        ("image", "photo"),
        ("select_one", "kind", {"choices": ["a", "b"]}),
        ("select_one", "agreed", {"choices": ["yes", "no"], "concept": "consent.record"}),
        ("repeat", "r"),
        ("text", "r/x"),
        ("integer", "r/low", {"constraint": ". < ${high}"}),
        ("integer", "r/high"),
    ],
)
ANSWERS = {"said": "Zebracorn", "g/age": "12", "kind": "a", "agreed": "yes", "r": [{"r/x": "one"}, {"r/x": "two"}]}
HEAD = "uuid,question,issue,old_value,new_value,change_type"


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two submissions that are landed, and one that waits."""
    root = tmp_path_factory.mktemp("site")
    (root / "dialogkit.toml").write_text('[forms.visit]\nfile = "x.xlsx"\n')
    workspace = open_workspace(root)
    write_batch(workspace.batches, FORM, [received(FORM, ANSWERS, f"uuid:{name}") for name in ("aa1", "aa2")])
    land(workspace)
    write_batch(workspace.batches, FORM, [received(FORM, {**ANSWERS, "said": "waits"}, "uuid:bb1")])
    return root


@pytest.fixture
def site(landed: Path, tmp_path: Path) -> Path:
    shutil.copytree(landed, tmp_path / "site")
    return tmp_path / "site"


def run(site: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["correct", *words, "-w", str(site)])


def ok(site: Path, *words: str) -> str:
    result = run(site, *words)
    assert result.exit_code == 0, result.output
    return result.stdout


def add(site: Path, *words: str) -> str:
    return ok(site, "add", "visit", *words, "--why", "asked again", "--by", "me").partition(":")[0]


def listed(site: Path, *words: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(ok(site, "list", "--json", *words))
    return found


def ledger(site: Path) -> Path:
    return site / "corrections" / "visit.csv"


def log(site: Path, *lines: str) -> str:
    path = site / "log.csv"
    path.write_text("\n".join((HEAD, *lines)) + "\n")
    return str(path)


def refused(result: Result, *codes: str, exit_code: int) -> None:
    assert re.findall(r"error\[([A-Z]+-\d+)]", result.output) == list(codes), result.output
    assert result.exit_code == exit_code
    assert "Zebracorn" not in result.output
    assert "Traceback" not in result.output


# --- add and list


def test_an_entry_has_the_old_value_and_waits_for_the_next_landing(site):
    id_ = add(site, "aa1", "age", "21")
    (one,) = listed(site, "--values")
    assert list(one) == [
        *("id", "form", "submission", "change", "state", "question", "issue", "old_value", "new_value"),
        *("row", "by", "at", "why", "undoes"),
    ]
    assert (one["id"], one["question"], one["old_value"], one["new_value"]) == (id_, "g/age", "12", "21")
    assert (one["submission"], one["state"], one["by"]) == ("uuid:aa1", "waiting", "me")
    land(open_workspace(site))
    assert listed(site)[0]["state"] == "applied"


def test_answers_are_shown_only_when_asked_for(site):
    add(site, "aa1", "said", "Yakoblin")
    for words in ((), ("--json",)):
        shown = ok(site, "list", *words)
        assert "Zebracorn" not in shown
        assert "Yakoblin" not in shown
    head, change, values, why = ok(site, "list", "--values").splitlines()
    assert head.endswith("  visit  uuid:aa1  waiting")
    assert change == "  change_response  said"
    assert values.endswith(" → Yakoblin")
    assert why.startswith("  20")


def test_rows_blanks_and_whole_submissions(site):
    add(site, "aa1", "x", "three", "--row", "2")
    add(site, "aa1", "said", "--blank")
    add(site, "uuid:aa2", "--remove")
    add(site, "bb1", "said", "came later")
    assert [one["change"] for one in listed(site)] == [
        *("change_response", "blank_response", "remove_survey", "change_response")
    ]
    land(open_workspace(site))
    assert {one["state"] for one in listed(site)} == {"applied"}


def test_an_empty_ledger(site):
    assert "The ledger is empty." in run(site, "list").output
    assert listed(site) == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("zz", "said", "x"), "CORRECT-010"),
        (("aa", "said", "x"), "CORRECT-010"),
        (("aa1", "sad", "x"), "CORRECT-011"),
        (("aa1", "word", "x"), "CORRECT-011"),
        (("aa1", "agreed", "no"), "CORRECT-012"),
        (("aa1", "x", "y"), "CORRECT-013"),
        (("aa1", "x", "y", "--row", "3"), "CORRECT-013"),
        (("aa1", "x", "y", "--row", "one"), "CORRECT-013"),
        (("aa1", "said", "y", "--row", "1"), "CORRECT-013"),
        (("aa1", "age", "many"), "CORRECT-014"),
        (("aa1", "day", "2026-02-30"), "CORRECT-014"),
        (("aa1", "kind", "c"), "CORRECT-014"),
        (("aa1", "photo", "other.jpg"), "CORRECT-014"),
        (("aa1", "age", "21", "--old", "13"), "CORRECT-015"),
        (("aa1", "age", "12"), "CORRECT-016"),
        (("aa1", "age", "121"), "CORRECT-018"),
    ],
)
def test_what_cannot_stand_is_refused_and_nothing_is_written(site, words, code):
    result = run(site, "add", "visit", *words, "--why", "because")
    refused(result, code, exit_code=3)
    assert not ledger(site).exists()


def test_wrong_usage(site):
    assert run(site, "add", "visit", "aa1", "said", "x").exit_code == 2
    assert run(site, "add", "visit", "aa1", "said", "x", "--why", " ").exit_code == 2
    assert run(site, "add", "visit", "aa1", "said", "x", "--blank", "--why", "w").exit_code == 2
    assert run(site, "add", "visit", "aa1", "said", "--why", "w").exit_code == 2
    assert run(site, "add", "visit", "aa1", "said", "--remove", "--why", "w").exit_code == 2
    assert run(site, "add", "visit", "aa1", "--why", "w").exit_code == 2


def test_answers_that_bind_each_other_are_corrected_together(site):
    refused(run(site, "import", log_of_rows(site, "9", "8")), "CORRECT-018", "CORRECT-018", exit_code=3)
    assert ok(site, "import", log_of_rows(site, "8", "9")) == "added: 4, in the ledger already: 0\n"


def log_of_rows(site: Path, low: str, high: str) -> str:
    path = site / "rows.csv"
    rows = [
        f"aa1,{name},x,,{text},change_response,{row}" for row in "12" for name, text in (("low", low), ("high", high))
    ]
    path.write_text("\n".join((f"{HEAD},row", *rows)) + "\n")
    return str(path)


# --- undo


def test_an_entry_is_taken_back_by_another_and_only_once(site):
    one = add(site, "aa1", "said", "x")
    two = add(site, "aa1", "said", "y")
    refused(run(site, "undo", one, "--why", "no"), "CORRECT-005", exit_code=3)
    before = ledger(site).read_text()
    ok(site, "undo", two, "--why", "no")
    assert ledger(site).read_text().startswith(before)
    refused(run(site, "undo", two, "--why", "no"), "CORRECT-005", exit_code=3)
    refused(run(site, "undo", "nothere", "--why", "no"), "CORRECT-005", exit_code=3)
    assert [row["state"] for row in listed(site)] == ["waiting", "undone", "kept"]


# --- import and export


def test_a_log_of_cleaningtools_is_brought_once(site):
    path = log(
        site,
        "aa1,age,outlier,12,21,change_response",
        "aa2,said,nonsense,NA,NA,blank_response",
        "uuid:aa2,kind,looked at,a,NA,no_action",
        "bb1,,duplicate,NA,NA,remove_survey",
    )
    assert ok(site, "import", path) == "added: 4, in the ledger already: 0\n"
    before = ledger(site).read_bytes()
    assert ok(site, "import", path) == "added: 0, in the ledger already: 4\n"
    assert ledger(site).read_bytes() == before
    land(open_workspace(site))
    assert ok(site, "import", path) == "added: 0, in the ledger already: 4\n"
    assert [one["state"] for one in listed(site)] == ["applied", "applied", "kept", "applied"]
    assert [one["why"] for one in listed(site)] == ["outlier", "nonsense", "looked at", "duplicate"]


def test_everything_that_is_wrong_with_a_log_is_told_with_its_row_and_nothing_is_added(site):
    path = log(
        site,
        "zz9,age,x,,21,change_response",
        "aa1,age,x,,21,change_response",
    )
    result = run(site, "import", path)
    refused(result, "CORRECT-010", exit_code=3)
    assert "log.csv, row 2" in result.output
    path = log(
        site,
        "aa1,age,x,12,21,change_response",
        "aa1,age,x,13,22,change_response",
        "aa1,age,x,,many,change_response",
        "aa1,nothing,x,,1,change_response",
        "aa1,age,x,,1,delete_it",
        "aa1,age,,,30,change_response",
        "aa1,age,x,,30,blank_response",
    )
    result = run(site, "import", path)
    refused(
        result,
        *("CORRECT-015", "CORRECT-014", "CORRECT-011", "CORRECT-016", "CORRECT-017", "CORRECT-016"),
        exit_code=3,
    )
    assert [f"row {number}" in result.output for number in range(2, 9)] == [False, *[True] * 6]
    assert not ledger(site).exists()


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_an_export_has_the_columns_of_cleaningtools_first_and_comes_back_whole(site, ending, tmp_path):
    add(site, "aa1", "said", '=HYPERLINK("http://evil")')
    add(site, "aa1", "g/word", "'=quoted")
    add(site, "aa2", "age", "-5", "--issue", "@SUM(1)")
    two = add(site, "aa2", "x", "+49 or so\nsecond line", "--row", "1")
    ok(site, "undo", two, "--why", "no")
    file = tmp_path / f"log.{ending}"
    assert ok(site, "export", str(file)) == "entries: 5\n"
    assert file.stat().st_mode & 0o77 == 0
    rows = table_of(file)
    assert rows[0] == [*HEAD.split(","), "row", "by", "at", "why", "id", "undoes", "form", "state"]
    assert [row[1] for row in rows[1:]] == ["said", "g/word", "age", "x", "x"]
    if ending == "csv":
        assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "@", "\t", "\r")]
        assert rows[3][4] == "-5"
    assert ok(site, "import", str(file)) == "added: 0, in the ledger already: 5\n"
    before = [row | {"at": ""} for row in listed(site, "--values")]
    ledger(site).unlink()
    assert ok(site, "import", str(file), "--form", "visit") == "added: 5, in the ledger already: 0\n"
    assert [row | {"at": ""} for row in listed(site, "--values")] == before


def table_of(file: Path) -> list[list[str]]:
    if file.suffix == ".csv":
        with file.open(newline="") as text:
            return list(csv.reader(text))
    sheet = openpyxl.load_workbook(file).worksheets[0]
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    return [["" if cell is None else cell for cell in row] for row in sheet.iter_rows(values_only=True)]


def test_numbers_and_days_of_a_workbook_are_texts_of_answers(site, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(HEAD.split(","))
    book.active.append(["aa1", "age", "x", 12.0, 21, "change_response"])
    book.active.append(["aa1", "day", "x", None, date(2026, 11, 2), "change_response"])
    book.save(tmp_path / "log.xlsx")
    ok(site, "import", str(tmp_path / "log.xlsx"))
    assert [one["new_value"] for one in listed(site, "--values")] == ["21", "2026-11-02"]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("log.csv", b"\xff\xfe\x00", "CORRECT-002"),
        ("log.csv", b'uuid,"question\n', "CORRECT-002"),
        ("log.xlsx", b"PK\x03\x04 no workbook", "CORRECT-002"),
        ("log.csv", b"uuid,question\naa1,age\n", "CORRECT-003"),
        ("log.csv", b"", "CORRECT-003"),
    ],
)
def test_a_file_that_is_no_log_is_refused(site, tmp_path, name, data, code):
    (tmp_path / name).write_bytes(data)
    refused(run(site, "import", str(tmp_path / name)), code, exit_code=3)


def test_a_name_of_no_question_is_answered_with_the_nearest_one(site):
    result = run(site, "add", "visit", "aa1", "sad", "x", "--why", "because")
    assert "Did you mean said?" in result.output
    result = run(site, "add", "visit", "aa1", "qqqqqqqq", "x", "--why", "because")
    assert "Give its path, name or column." in result.output


def test_an_answer_that_no_cell_of_a_workbook_holds_goes_into_csv_only(site, tmp_path):
    add(site, "aa1", "said", "long " * 8000)
    refused(run(site, "export", str(tmp_path / "log.xlsx")), "CORRECT-004", exit_code=3)
    ok(site, "export", str(tmp_path / "log.csv"))
    assert ok(site, "import", str(tmp_path / "log.csv")) == "added: 0, in the ledger already: 1\n"


def test_a_ledger_that_somebody_spoilt_stops_the_landing_and_says_where(site):
    add(site, "aa1", "said", "x")
    text = ledger(site).read_text()
    ledger(site).write_text(text.replace("change_response", "change_it") + "one,two\n")
    result = run(site, "list")
    refused(result, "CORRECT-001", "CORRECT-001", exit_code=3)
    assert "line 2" in result.output
    assert "line 3" in result.output
    assert CliRunner().invoke(cli, ["land", "-q", "-w", str(site)]).exit_code == 3


def test_a_push_tells_what_no_server_takes(site):
    add(site, "aa1", "x", "three", "--row", "2")
    land(open_workspace(site))
    result = run(site, "push", "visit")
    assert result.exit_code == 0
    assert "note[CORRECT-006]" in result.output
    assert "There is nothing to send." in result.output


def test_land_tells_what_was_landed_again(site):
    CliRunner().invoke(cli, ["land", "-q", "-w", str(site)])
    add(site, "aa1", "age", "21")
    result = CliRunner().invoke(cli, ["land", "-q", "-w", str(site)])
    assert "visit: landed again after a correction: 1 (accepted: 1, held: 0, refused: 0)" in result.output
    assert result.stdout == ""


def test_explain_tells_who_corrected_what_and_why_and_no_value(site):
    land(open_workspace(site))
    one = add(site, "aa1", "said", "Yakoblin")
    land(open_workspace(site))
    ok(site, "undo", one, "--why", "was right", "--by", "you")
    land(open_workspace(site))
    result = CliRunner().invoke(cli, ["explain", "aa1", "-w", str(site)])
    assert result.exit_code == 0
    for text in (
        f"correction {one} by me, said, change_response: asked again",
        "undone",
        f"correction {one} taken back by you: was right",
        "landed again, by the ledger of corrections",
    ):
        assert text in result.stdout
    assert "Yakoblin" not in result.stdout
    data = json.loads(CliRunner().invoke(cli, ["explain", "aa1", "--json", "-w", str(site)]).stdout)
    assert list(data[0]["corrections"][0]) == [*("at", "by", "why", "path", "row", "change", "state", "id", "undoes")]
