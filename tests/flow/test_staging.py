"""Staging: every answer ends in exactly one cell, one issue or one drift row."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialogkit.errors import NormalizeError
from dialogkit.model.batch import Manifest
from dialogkit.model.form import Form
from dialogkit.model.staged import Staged
from dialogkit.model.table import Standing
from dialogkit.normalize.schema import tables_of
from dialogkit.normalize.sources import stage_sources
from dialogkit.normalize.staging import stage, unstage
from tests.builders import Row, make_form, received, rows_of, stage_batch, write_batch


def staged_of(db, tmp_path, form, answers, *forms, **facts) -> Staged:
    some = [received(form, one, f"uuid:{n}", **facts) for n, one in enumerate(answers, start=1)]
    return stage_batch(db, write_batch(tmp_path / "batches", form, some), *forms)


def table_of(db, staged, number=0, columns="*"):
    name = list(staged.relations.values())[number]
    return rows_of(db, f"SELECT {columns} FROM {name} ORDER BY ALL")


def cells_in(db: duckdb.DuckDBPyConnection, staged: Staged) -> int:
    """How many cells of questions are filled; columns beside them repeat what they say."""
    total = 0
    for table in staged.tables:
        asked = [column for column in table.columns if not column.is_companion]
        if asked:
            filled = " + ".join(f'count("{column.name}")' for column in asked)
            total += db.execute(f"SELECT {filled} FROM {staged.relations[table.name]}").fetchone()[0]
    return total


def places(db: duckdb.DuckDBPyConnection, staged: Staged) -> tuple[int, int, int]:
    """Cells, issues, drift rows."""
    (issues,) = db.execute("SELECT count(*) FROM stage_issues").fetchone()
    (drift,) = db.execute("SELECT count(*) FROM stage_drift").fetchone()
    return cells_in(db, staged), issues, drift


# --- one rule each


def test_answers_become_typed_rows_keyed_to_their_parents(db, tmp_path):
    asked = [("integer", "age"), ("repeat", "g/c"), ("text", "g/c/name"), ("repeat", "g/c/t"), ("text", "g/c/t/x")]
    form = make_form("f", "1", asked)
    rows = [{"g/c/name": "A", "g/c/t": [{"g/c/t/x": "1"}, {"g/c/t/x": "2"}]}, {"g/c/t": [{"g/c/t/x": "3"}]}, {}]
    staged = staged_of(db, tmp_path, form, [{"age": "4", "g/c": rows}])
    (main,) = table_of(db, staged)
    assert (main["age"], main["_submission_id"], main["_origin"], main["_form_version"]) == (4, "uuid:1", "server", "1")
    assert main["_submitted_at"].isoformat() == "2026-11-20T10:00:00+00:00"
    keys = "_row, _parent_row, _position, name"
    assert [tuple(row.values()) for row in table_of(db, staged, 1, keys)] == [
        ("1", "", 1, "A"),
        ("2", "", 2, None),
        ("3", "", 3, None),
    ]
    assert [tuple(row.values()) for row in table_of(db, staged, 2, "_row, _parent_row, _position, x")] == [
        ("1/1", "1", 1, "1"),
        ("1/2", "1", 2, "2"),
        ("2/1", "2", 1, "3"),
    ]


def test_a_value_that_is_not_of_its_type_is_an_issue_with_its_raw_text(db, tmp_path):
    form = make_form("f", "1", [("integer", "age"), ("repeat", "r"), ("date", "r/day")])
    staged = staged_of(db, tmp_path, form, [{"age": "12.6", "r": [{"r/day": "2026-11-20"}, {"r/day": "soon"}]}])
    assert rows_of(db, "FROM stage_issues ORDER BY path") == [
        {"submission_id": "uuid:1", "table_name": "f", "row": "", "path": "age", "kind": "integer", "raw": "12.6"},
        {"submission_id": "uuid:1", "table_name": "f__r", "row": "2", "path": "r/day", "kind": "date", "raw": "soon"},
    ]
    assert places(db, staged) == (1, 2, 0)


def test_an_answer_that_no_version_asks_for_is_drift_at_its_place(db, tmp_path):
    form = make_form("f", "1", [("text", "a"), ("repeat", "r"), ("repeat", "r/s"), ("text", "r/s/b")])
    answers = {"a": "x", "new": "N", "r": [{}, {"r/s": [{"r/s/b": "y", "r/s/n.1-é": "M"}], "r/u": [{"r/u/v": "W"}]}]}
    staged = staged_of(db, tmp_path, form, [answers])
    assert {(row["row"], row["path"], row["raw"]) for row in rows_of(db, "FROM stage_drift")} == {
        ("", "new", "N"),
        ("2/1", "r/s/n.1-é", "M"),
        ("2", "r/u", '[{"r/u/v":"W"}]'),
    }
    assert places(db, staged) == (2, 0, 3)


def test_names_that_differ_only_in_case_keep_their_own_answers(db, tmp_path):
    form = make_form("f", "1", [("text", "a"), ("text", "A"), ("repeat", "r"), ("text", "r/b"), ("text", "r/B")])
    staged = staged_of(
        db, tmp_path, form, [{"a": "small", "A": "large", "r": [{"r/b": "s", "r/B": "l"}, {"r/B": "k"}]}]
    )
    (main,) = table_of(db, staged)
    assert (main["a"], main["A__2"]) == ("small", "large")
    assert {(row["r__b"], row["r__B__2"]) for row in table_of(db, staged, 1)} == {("s", "l"), (None, "k")}


def test_a_list_where_a_text_was_expected_is_kept_as_json(db, tmp_path):
    form = make_form("f", "1", [("text", "a"), ("integer", "n")])
    staged = staged_of(db, tmp_path, form, [{"a": [{"a": "1"}, {"a": "2"}], "n": [{"n": "1"}]}])
    assert table_of(db, staged, 0, "a") == [{"a": '[{"a":"1"},{"a":"2"}]'}]
    assert [row["raw"] for row in rows_of(db, "FROM stage_issues")] == ['[{"n":"1"}]']


@pytest.mark.parametrize("twin", [[], [("text", "R2"), ("text", "r2")]])
def test_a_text_where_a_repeat_was_expected_is_drift(db, tmp_path, twin):
    asked = [("text", "a"), ("repeat", "r"), ("text", "r/b"), ("repeat", "r/s"), ("text", "r/s/c")]
    rows = [{"r/s": "deep", "r/n": "new"}, {"r/b": "x", "r/s": [{"r/s/c": "y", "r/s/m": "m"}]}]
    staged = staged_of(db, tmp_path, make_form("f", "1", [*twin, *asked]), [{"a": "1", "r": "said"}, {"r": rows}])
    assert {(row["row"], row["path"], row["raw"]) for row in rows_of(db, "FROM stage_drift")} == {
        ("", "r", "said"),
        ("1", "r/s", "deep"),
        ("1", "r/n", "new"),
        ("2/1", "r/s/m", "m"),
    }
    assert places(db, staged) == (3, 0, 4)


def test_a_question_that_became_a_repeat_keeps_both_kinds_of_answers(db, tmp_path):
    old = make_form("f", "1", [("text", "r")])
    new = make_form("f", "2", [("repeat", "r"), ("text", "r/b")])
    some = [received(old, {"r": "said"}, "uuid:1"), received(new, {"r": [{"r/b": "x"}]}, "uuid:2")]
    staged = stage_batch(db, write_batch(tmp_path, new, some), old, new)
    assert {(row["_submission_id"], row["r"]) for row in table_of(db, staged)} == {("uuid:1", "said"), ("uuid:2", None)}
    assert [row["b"] for row in table_of(db, staged, 1)] == ["x"]
    assert places(db, staged) == (2, 0, 0)


def test_a_repeat_that_asks_nothing_keeps_its_rows(db, tmp_path):
    asked = [("text", "a"), ("repeat", "r"), ("note", "r/n"), ("repeat", "s"), ("repeat", "s/t"), ("text", "s/t/b")]
    answers = {"a": "x", "r": [{}, {}], "s": [{}, {"s/t": [{"s/t/b": "y"}]}]}
    staged = staged_of(db, tmp_path, make_form("f", "1", asked), [answers])
    counts = {table: len(rows_of(db, f"FROM {relation}")) for table, relation in staged.relations.items()}
    assert counts == {"f": 1, "f__r": 2, "f__s": 2, "f__t": 1}


def test_each_version_fills_the_column_of_its_own_type_and_unknown_ones_the_latest(db, tmp_path):
    old, new = make_form("f", "1", [("text", "age")]), make_form("f", "2", [("integer", "age")])
    some = [
        received(old, {"age": "old"}, "uuid:1"),
        received(new, {"age": "12"}, "uuid:2"),
        received(new, {"age": "young"}, "uuid:3"),
        received(new, {"age": "9"}, "uuid:4", version="unheard of"),
        received(new, {"age": "8"}, "uuid:5", version=""),
    ]
    staged = stage_batch(db, write_batch(tmp_path, new, some), old, new)
    rows = table_of(db, staged, 0, "_submission_id, age, age__2")
    assert [tuple(row.values()) for row in rows] == [
        ("uuid:1", "old", None),
        ("uuid:2", None, 12),
        ("uuid:3", None, None),
        ("uuid:4", None, 9),
        ("uuid:5", None, 8),
    ]
    assert places(db, staged) == (4, 1, 0)


def test_a_column_of_a_lost_version_does_not_take_the_answer_twice(db, tmp_path):
    old, new = make_form("f", "1", [("text", "age")]), make_form("f", "2", [("integer", "age")])
    known = {table.repeat: table.columns for table in tables_of([old, new])}
    batch = write_batch(tmp_path, new, [{"age": "12"}])
    staged = stage(db, batch.manifest, batch.submissions, {"2": new}, Standing(known))
    assert places(db, staged) == (1, 0, 0)
    assert table_of(db, staged, 0, "age, age__2") == [{"age": None, "age__2": 12}]


def test_only_new_and_changed_submissions_go_on(db, tmp_path):
    form = make_form("f", "1", [("text", "a"), ("select_one", "final", {"concept": "consent.final_choice"})])
    some = [
        received(form, {"a": "first"}, "uuid:1", instance_id="uuid:1"),
        received(form, {"a": "edited"}, "uuid:1", instance_id="uuid:1b"),
        received(form, {"a": "x", "final": "delete"}, "uuid:2"),
        received(form, {}, "uuid:3", deleted_at="2026-11-20T10:00:00Z"),
    ]
    staged = stage_batch(db, write_batch(tmp_path, form, some))
    states = db.execute("SELECT instance_id, state FROM stage_submissions ORDER BY n").fetchall()
    assert states == [("uuid:1", "known"), ("uuid:1b", "new"), ("uuid:2", "refused"), ("uuid:3", "deleted")]
    assert [row["a"] for row in table_of(db, staged)] == ["edited"]


def test_attachments_are_those_of_the_edition_that_counts(db, tmp_path):
    form = make_form("f", "1", [("image", "a")])
    some = [
        received(form, {"a": "x.jpg"}, "uuid:1", instance_id="uuid:1", files=["x.jpg"]),
        received(form, {"a": "y.jpg"}, "uuid:1", instance_id="uuid:1b", files=["y.jpg"]),
    ]
    stage_batch(db, write_batch(tmp_path, form, some, content={"x.jpg": b"1", "y.jpg": b"22"}))
    assert [(row["name"], row["size"]) for row in rows_of(db, "FROM stage_attachments")] == [("y.jpg", 2)]


@pytest.mark.parametrize(
    "text",
    [
        "\x00",
        "a\x00b",
        '"',
        "\\",
        "\\u0041",
        "'; DROP TABLE x; --",
        "😀",
        "\u2028",
        "{}",
        "[]",
        "null",
        "NaN",
        "\ud7ff",
    ],
)
def test_every_text_arrives_as_it_was_typed(db, tmp_path, text):
    staged = staged_of(db, tmp_path, make_form("f", "1", [("text", "a")]), [{"a": text}])
    assert table_of(db, staged, 0, "a") == [{"a": text}]


def test_an_answer_of_twenty_million_signs_is_read(db, tmp_path):
    staged = staged_of(db, tmp_path, make_form("f", "1", [("text", "a")]), [{"a": "x" * 20_000_000}, {"a": "y"}])
    assert [row["n"] for row in table_of(db, staged, 0, "length(a) AS n")] == [1, 20_000_000]


def test_unstage_leaves_nothing(db, tmp_path):
    staged_of(db, tmp_path, make_form("f", "1", [("text", "a")]), [{"a": "x"}])
    unstage(db)
    assert db.execute("SELECT count(*) FROM duckdb_tables() WHERE temporary").fetchone() == (0,)


def test_normalize_001_lines_that_are_not_json_are_not_quoted(db, tmp_path):
    form = make_form("f", "1", [("text", "a")])
    batch = write_batch(tmp_path, form, [{"a": "x"}])
    lines = tmp_path / "bad.ndjson"
    lines.write_text('{"id": "uuid:1", "answers": {"a": "Zebracorn"\n')
    with pytest.raises(NormalizeError) as caught:
        stage(db, batch.manifest, lines, batch.forms())
    assert str(caught.value) == (
        f"error[NORMALIZE-001] batch {batch.manifest.batch_id}\n"
        "  The submissions of the batch cannot be read.\n"
        "  Take the folder out of warehouse/batches and bring its submissions again: dialogkit pull --full"
    )
    assert caught.value.__suppress_context__


def test_normalize_002_a_cut_file_is_not_taken_for_a_short_one(db, tmp_path):
    form = make_form("f", "1", [("text", "a")])
    batch = write_batch(tmp_path, form, [{"a": "x"}])
    facts = batch.manifest.to_json() | {"counts": {**batch.manifest.counts, "submissions": 2}}
    with pytest.raises(NormalizeError) as caught:
        stage(db, Manifest(**facts), batch.submissions, batch.forms())
    assert str(caught.value) == (
        f"error[NORMALIZE-002] batch {batch.manifest.batch_id}\n"
        "  The manifest names 2 submissions, the file has 1.\n"
        "  Take the folder out of warehouse/batches and bring its submissions again: dialogkit pull --full"
    )


@pytest.mark.parametrize("text", ["", "{}", "[3]", '[{"row": ""}]', "\xff"])
def test_normalize_003_sources_that_cannot_be_read(db, tmp_path, text):
    path = tmp_path / "sources.json"
    path.write_text(text, encoding="latin-1")
    if text == "{}":
        path.write_text('{"a": 1}')
    with pytest.raises(NormalizeError) as caught:
        stage_sources(db, [("uuid:1", path)])
    assert str(caught.value) == (
        "error[NORMALIZE-003] submission uuid:1\n  Its list of sources cannot be read.\n"
        "  Import it again: dialogkit import"
    )


# --- properties

KINDS = ["text", "integer", "decimal", "date", "select_one", "select_multiple", "geopoint", "start", "image"]
TEXTS = st.sampled_from(
    ["12", "12.6", "x", "a b", "2026-11-20", "1 2 3 4", "2026-11-20T10:00:00Z", " 7 ", "nan", "é", '"', "[]", "a.jpg"]
)
NAMES = ["a", "b", "A", "g", "n1"]


@st.composite
def rows_of_form(draw: st.DrawFn, sections: dict[str, str]) -> list[Row]:
    """Rows of a form; `sections` remembers which paths are groups and which repeats, the same in every version."""

    def level(above: str, depth: int) -> list[Row]:
        rows: list[Row] = []
        for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True)):
            path = f"{above}/{name}" if above else name
            if depth == 3 or draw(st.booleans()):
                rows.append((draw(st.sampled_from(KINDS)), path))
            else:
                what = sections.setdefault(path, draw(st.sampled_from(["group", "repeat"])))
                rows += [(what, path), *level(path, depth + 1)]
        return rows

    return level("", 1)


def answers_of(form: Form, draw: st.DrawFn, repeat: str = "") -> dict[str, Any]:
    answers: dict[str, Any] = {}
    paths = [question.path for question in form.questions if form.repeat_of(question.path) == repeat]
    unknown = f"{repeat}/unknown" if repeat else "unknown"
    for path in [*paths, unknown]:
        shape = draw(st.sampled_from(["none", "text", "text", "text", "list"]))
        if shape == "text":
            answers[path] = draw(TEXTS)
        elif shape == "list":
            answers[path] = [{path: draw(TEXTS)}, {path: draw(TEXTS)}]
    for path in form.repeats:
        if form.repeat_of(path) == repeat:
            shape = draw(st.sampled_from(["none", "rows", "rows", "text"]))
            if shape == "rows":
                answers[path] = [answers_of(form, draw, path) for _ in range(draw(st.integers(1, 2)))]
            elif shape == "text":
                answers[path] = draw(TEXTS)
    return answers


def count(answers: dict[str, Any], repeats: set[str]) -> int:
    """Answers that must end somewhere: a known repeat counts by what is in its rows."""
    return sum(
        sum(count(row, repeats) for row in value) if path in repeats and not isinstance(value, str) else 1
        for path, value in answers.items()
    )


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_answer_ends_in_exactly_one_place_and_order_does_not_matter(db, data):
    sections: dict[str, str] = {}
    old = make_form("f", "1", data.draw(rows_of_form(sections)))
    new = make_form("f", "2", data.draw(rows_of_form(sections)))
    repeats = set(old.repeats | new.repeats)
    some = []
    for number in range(data.draw(st.integers(1, 4))):
        form, version = data.draw(st.sampled_from([(old, "1"), (new, "2"), (new, "unheard of")]))
        some.append(received(form, answers_of(form, data.draw), f"uuid:{number}", version=version))
    expected = sum(count(one.submission.answers, repeats) for one in some)
    contents = []
    with tempfile.TemporaryDirectory() as folder:
        for order in (some, data.draw(st.permutations(some))):
            staged = stage_batch(db, write_batch(Path(folder), new, order), old, new)
            assert sum(places(db, staged)) == expected
            relations = [*staged.relations.values(), "stage_issues", "stage_drift"]
            contents.append([sorted(map(repr, db.execute(f"FROM {name}").fetchall())) for name in relations])
            unstage(db)
    assert contents[0] == contents[1]
