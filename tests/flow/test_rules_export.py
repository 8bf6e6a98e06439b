"""Exported suites, run by Great Expectations' own API over a snapshot, say what a landing said of the same rows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from great_expectations import ExpectationSuite

from dialogkit.forms.versions import keep_version
from dialogkit.model.form import BuiltForm
from dialogkit.model.submission import Answers
from dialogkit.steps.land import land
from dialogkit.steps.rules import export_rules
from dialogkit.warehouse.connect import reading
from dialogkit.warehouse.snapshot import make_snapshot
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import make_form, write_batch

FORM = make_form(
    "visit",
    "1",
    [
        ("select_one", "kind", {"choices": ["x", "y"], "required": "yes"}),
        ("integer", "g/n", {"constraint": ". < 100", "relevant": "${kind} = 'x'"}),
        ("text", "g/name", {"disclosure": "direct"}),
        ("text", "code"),
        ("select_multiple", "ticks", {"choices": ["a", "b"]}),
        ("repeat", "row"),
        ("integer", "row/size"),
    ],
)
ROWS: list[Answers] = [
    {"kind": "x", "g/n": "5", "code": "a", "ticks": "a b", "row": [{"row/size": "1"}, {"row/size": "9"}]},
    {"kind": "x", "g/n": "500", "code": "a", "g/name": "Zebracorn"},
    {"kind": "y", "g/n": "7", "code": ":b {c}"},
    {"kind": "z"},
    {},
]
RULES = """
[[rule]]
code = "R1"
type = "expect_column_values_to_be_between"
column = "n"
max_value = 6
when = "${code} != ''"
mostly = 0.3

[[rule]]
code = "R2"
type = "expect_column_values_to_be_unique"
column = "code"
scope = "form"

[[rule]]
code = "R3"
type = "unexpected_rows_expectation"
table = "row"
unexpected_rows_query = "SELECT r.* FROM {batch} r JOIN {main} m USING (_submission_id) WHERE r.size > m.n OR m.n > 900"

[[rule]]
code = "R4"
type = "unexpected_rows_expectation"
unexpected_rows_query = "SELECT * FROM {batch} WHERE code = ' :b {{c}}'[2:]"

[[rule]]
code = "R5"
type = "expect_column_mean_to_be_between"
column = "n"
max_value = 6
""".replace("\ntype", '\naction = "note"\nmessage.en = "No."\ntype')
LENIENT = "\n".join(
    f'[form.{kind}]\naction = "note"' for kind in ("FORM-REQUIRED", "FORM-CHOICE", "FORM-CONSTRAINT", "FORM-RELEVANT")
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Five submissions, all accepted with notes, and a snapshot of them."""
    root = tmp_path_factory.mktemp("place")
    (root / "dialogkit.toml").write_text('[forms.visit]\nfile = "v.xlsx"\n')
    workspace = open_workspace(root)
    keep_version(workspace.versions, BuiltForm(FORM, b"<xml/>"))
    workspace.validations.mkdir()
    (workspace.validations / "visit.toml").write_text(LENIENT + RULES, encoding="utf-8")
    write_batch(workspace.batches, FORM, ROWS)
    (landed,) = land(workspace)
    assert (landed.accepted, landed.not_evaluated) == (len(ROWS), ())
    make_snapshot(workspace.warehouse, workspace.snapshots)
    return workspace


@pytest.fixture(scope="module")
def exported(place: Workspace) -> Path:
    folder = place.root / "suites"
    (one,) = export_rules(place, folder)
    assert one.rules == sum(len(suite["expectations"]) for suite in suites(folder))
    return folder


def suites(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def run_as_the_readme_says(place: Workspace, folder: Path) -> list[Any]:
    (program,) = re.findall(r"```python\n(.+?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    told: dict[str, Any] = {}
    exec(compile(program, "README.md", "exec"), told)  # what people are told to run
    (snapshot,) = place.snapshots.glob("*.duckdb")
    return [result for found in told["run"]("visit", snapshot, folder) for result in found.results]


def test_great_expectations_says_of_the_exported_suites_what_the_landing_said(place: Workspace, exported: Path):
    results = run_as_the_readme_says(place, exported)
    assert [result.exception_info for result in results if result.exception_info.get("raised_exception")] == []
    found = {}
    for result in results:
        rows = result.result.get("unexpected_count", result.result.get("observed_value"))
        found[result.expectation_config.meta["rule"]] = rows
    with reading(place.warehouse) as db:
        landed = dict(db.execute("SELECT rule, count(*) FROM ops.violations GROUP BY rule").fetchall())
    assert found.pop("R5") == pytest.approx(512 / 3)
    assert {rule: rows for rule, rows in found.items() if rows} == landed
    assert landed == {
        "FORM-REQUIRED:kind": 1,
        "FORM-CHOICE:kind": 1,
        "FORM-CONSTRAINT:g/n": 1,
        "FORM-RELEVANT:g/n": 1,
        "R1": 2,
        "R2": 2,
        "R3": 1,
        "R4": 1,
    }
    failed = {result.expectation_config.meta["rule"] for result in results if not result.success}
    # Two of three rows break R1, which its `mostly` allows.
    assert failed == {*landed, "R5"} - {"R1"}


def test_the_program_of_the_readme_prints_what_is_not_met_in_the_newest_snapshot(
    exported: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    readme = (exported / "README.md").read_text(encoding="utf-8")
    assert str(exported.parent) not in readme
    (program,) = re.findall(r"```python\n(.+?)```", readme, re.DOTALL)
    monkeypatch.chdir(exported)
    (exported / "gone.sql").write_text("SELECT * FROM accepted.gone", encoding="utf-8")
    try:
        exec(compile(program, "README.md", "exec"), {"__name__": "__main__"})  # pasted
    finally:
        (exported / "gone.sql").unlink()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "gone: not in this snapshot"
    assert re.fullmatch(r"visit: [0-9]+ rules, 8 not met", lines[1])
    assert "  R2: 2" in lines


def test_each_file_is_a_suite_that_great_expectations_loads(exported: Path):
    for suite in suites(exported):
        loaded = ExpectationSuite(**suite)
        assert loaded.to_json_dict()["expectations"] == suite["expectations"]
        assert all(one["meta"]["rule"] and one["description"] for one in suite["expectations"])


def test_what_accepted_answers_cannot_show_is_named_with_its_reason(exported: Path):
    told = re.findall(r"^-- not here: (\S+): (.+)$", (exported / "visit.sql").read_text(encoding="utf-8"), re.MULTILINE)
    reasons = dict(told)
    assert reasons["FORM-TYPE:g/n"] == "answers that are not of their type stand apart from accepted answers"
    assert {code.partition(":")[0] for code in reasons} >= {"FORM-VERSION", "FORM-SEALED", "FORM-DRIFT", "FORM-TYPE"}


def test_a_second_export_takes_the_place_of_the_first(place: Workspace, exported: Path):
    before = sorted(path.name for path in exported.iterdir())
    (exported / "visit.check_99.json").write_text("{}")
    export_rules(place, exported, ["visit"])
    assert sorted(path.name for path in exported.iterdir()) == before
