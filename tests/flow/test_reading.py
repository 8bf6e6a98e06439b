"""`dialogkit.open`: a snapshot in pandas, Arrow and Parquet, with what the form says of it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import duckdb
import pandas as pd
import pytest

import dialogkit
from dialogkit.errors import ConfigError, WarehouseError
from dialogkit.model.form import Choice
from dialogkit.reading import Reader, reader
from dialogkit.warehouse.connect import new_file, writing
from dialogkit.warehouse.snapshot import current_snapshot, make_snapshot
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import land_batch, make_form, received, write_batch

LANGUAGES = ("English (en)", "Français (fr)")
ROWS = [
    ("text", "name", {"disclosure": "direct"}),
    ("text", "said"),
    ("integer", "age"),
    ("decimal", "share"),
    ("date", "day"),
    ("time", "clock"),
    ("datetime", "moment"),
    ("geopoint", "spot"),
    (
        "select_one",
        "colour",
        {"list_name": "colours", "labels": {"English (en)": "Colour", "Français (fr)": "Couleur"}},
    ),
    ("select_multiple", "likes", {"list_name": "colours"}),
    ("repeat", "person"),
    ("integer", "person/age"),
    ("repeat", "person/dog"),
    ("text", "person/dog/call"),
]
RED = Choice("red", {"English (en)": "Red", "Français (fr)": "Rouge"})
BLUE = Choice("blue", {"English (en)": "Blue", "Français (fr)": "Bleu"})
#: In French it reads as `blue` does.
SKY = Choice("sky", {"English (en)": "Sky blue", "Français (fr)": "Bleu"})
GREY = Choice("grey", {"English (en)": "Grey"})


def form_of(version: str, *choices: Choice):
    return replace(make_form("visit", version, ROWS), languages=LANGUAGES, choice_lists={"colours": choices})


FIRST, SECOND = form_of("1", RED, BLUE, SKY), form_of("2", BLUE, SKY, GREY)
ANSWERS = [
    {
        "name": "Namewomble",
        "said": "first",
        "age": "9007199254740993",
        "share": "0.5",
        "day": "2026-02-03",
        "clock": "10:20:00",
        "moment": "2026-02-03T10:00:00.000+02:00",
        "spot": "1.5 2.5 0 4",
        "colour": "sky",
        "likes": "sky red",
        "person": [
            {"person/age": "40", "person/dog": [{"person/dog/call": f"d{n}"} for n in range(11)]},
            {"person/age": "50"},
        ],
    },
    {"said": "second", "colour": "red"},
]


def workspace_at(root: Path) -> Workspace:
    (root / "dialogkit.toml").write_text('[forms.visit]\nfile = "x.xlsx"\n')
    return open_workspace(root)


def land(workspace: Workspace, form, some, *known) -> None:
    with writing(workspace.warehouse) as db:
        land_batch(db, write_batch(workspace.batches, form, some), *(known or (form,)))


def snapshot(workspace: Workspace) -> Path:
    return make_snapshot(workspace.warehouse, workspace.snapshots)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Workspace:
    """Two submissions of the first version, one of the second; changed by no test."""
    workspace = workspace_at(tmp_path_factory.mktemp("reading"))
    land(workspace, FIRST, [received(FIRST, answers, f"uuid:{n}") for n, answers in enumerate(ANSWERS)])
    third = received(SECOND, {"said": "third", "age": "7", "colour": "grey"}, "uuid:2")
    land(workspace, SECOND, [third], FIRST, SECOND)
    snapshot(workspace)
    return workspace


@pytest.fixture(scope="module")
def data(place):
    with dialogkit.open(place.root) as opened:
        yield opened


# --- opening


def test_a_workspace_a_folder_in_it_its_snapshots_and_one_file_open_the_same(place, tmp_path):
    newest = current_snapshot(place.snapshots)
    for path in (place.root, str(place.root), place.root / "warehouse", place.snapshots, newest):
        with dialogkit.open(path) as opened:
            assert opened.snapshot.samefile(newest)


def test_warehouse_050_the_warehouse_itself_and_a_copy_of_it_are_refused(place, tmp_path):
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(place.warehouse.read_bytes())
    for path in (place.warehouse, copy):
        with pytest.raises(WarehouseError, match="warehouse/snapshots") as caught:
            dialogkit.open(path)
        assert caught.value.code == "WAREHOUSE-050"


def test_refusing_the_warehouse_does_not_wait_for_a_landing(place):
    with writing(place.warehouse), pytest.raises(WarehouseError, match="WAREHOUSE-050"):
        dialogkit.open(place.warehouse)


def test_warehouse_051_another_database_is_no_snapshot(tmp_path):
    with new_file(tmp_path / "other.duckdb") as db:
        db.execute("CREATE SCHEMA ops")
    with duckdb.connect(tmp_path / "foreign.duckdb") as db:
        db.execute("CREATE TABLE t (a INTEGER)")
    (tmp_path / "text.duckdb").write_text("hello" * 1000)
    for name in ("other", "foreign", "text"):
        with pytest.raises(WarehouseError, match="WAREHOUSE-051"):
            dialogkit.open(tmp_path / f"{name}.duckdb")


def test_warehouse_052_a_misspelt_folder_does_not_open_the_workspace_around_it(place):
    with pytest.raises(WarehouseError, match="WAREHOUSE-052"):
        dialogkit.open(place.root / "warehous")


def test_a_folder_in_no_workspace_and_a_workspace_without_snapshot_say_so(tmp_path):
    with pytest.raises(ConfigError, match="CONFIG-001"):
        dialogkit.open(tmp_path)
    with pytest.raises(WarehouseError, match="WAREHOUSE-009"):
        dialogkit.open(workspace_at(tmp_path).root)


def test_warehouse_055_a_closed_reader_says_that_it_is_closed(place):
    opened = dialogkit.open(place.root)
    opened.close()
    opened.close()
    assert "closed" in repr(opened)
    for ask in (opened.tables, lambda: opened.sql("SELECT 1"), lambda: opened.to_pandas("visit")):
        with pytest.raises(WarehouseError, match="WAREHOUSE-055"):
            ask()


def test_importing_dialogkit_brings_no_heavy_library():
    code = "import dialogkit, sys; sys.exit(any(m in sys.modules for m in ('pandas', 'duckdb', 'dialogkit.reading')))"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert {"open", "Reader"} <= set(dir(dialogkit))
    assert dialogkit.Reader is Reader
    with pytest.raises(AttributeError, match="opne"):
        dialogkit.opne  # noqa: B018 - the access is the test


def test_a_reader_goes_on_when_its_snapshot_was_replaced_and_taken_away(tmp_path):
    workspace = workspace_at(tmp_path)
    land(workspace, FIRST, [received(FIRST, {"said": "one"}, "uuid:a")])
    snapshot(workspace)
    with dialogkit.open(tmp_path) as old:
        for number in range(4):
            land(workspace, FIRST, [received(FIRST, {"said": "more"}, f"uuid:{number}")])
            snapshot(workspace)
        assert not old.snapshot.exists()
        assert list(old.to_pandas("visit")["said"]) == ["one"]
        assert list(old.sql("SELECT said FROM accepted.visit")["said"]) == ["one"]
        assert duckdb.sql(f"FROM '{old.to_parquet(tmp_path / 'out')[0]}'").fetchall()[0][0] == "uuid:a"
        with dialogkit.open(tmp_path) as new:
            assert [one.rows for one in new.tables()] == [5, 0, 0]


# --- tables and codebook


def test_tables_are_named_with_their_repeats_parents_and_rows(data):
    assert data.tables() == [
        ("visit", "visit", "", "", 3),
        ("visit__person", "visit", "person", "visit", 2),
        ("visit__dog", "visit", "person/dog", "visit__person", 11),
    ]


def test_the_codebook_says_what_a_column_means_in_the_language_asked_for(data):
    english, french = data.columns("visit").set_index("name"), data.columns("visit", "fr").set_index("name")
    assert "name" not in english.index
    assert (english.label["colour"], french.label["colour"]) == ("Colour", "Couleur")
    assert english.kind["likes"] == "select_multiple"
    assert french.choices["colour"] == {"red": "Rouge", "blue": "Bleu", "sky": "Bleu", "grey": "grey"}
    assert french.choices["said"] == {}
    assert english.path["spot"] == "spot"


@pytest.mark.parametrize("language", ["fr", "FR", "français", "Français (fr)"])
def test_a_language_is_named_as_people_do(data, language):
    assert "Couleur" in set(data.columns("visit", language).label)


def test_warehouse_053_a_table_that_is_not_there_is_suggested(data):
    for ask in (
        data.to_pandas,
        data.join,
        data.columns,
        data.to_arrow,
        lambda name: data.to_parquet("x", tables=[name]),
    ):
        with pytest.raises(WarehouseError, match=r"Did you mean visit__person\?") as caught:
            ask("visit__persons")
        assert caught.value.code == "WAREHOUSE-053"


def test_warehouse_054_a_language_that_is_not_there_is_refused_with_those_that_are(data):
    for ask in (lambda: data.to_pandas("visit", labels="pt"), lambda: data.columns("visit", "pt")):
        with pytest.raises(WarehouseError, match=r"English \(en\), Français \(fr\)") as caught:
            ask()
        assert caught.value.code == "WAREHOUSE-054"


# --- pandas


def test_every_kind_has_a_type_that_knows_blanks(data):
    frame = data.to_pandas("visit")
    types = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert (
        types
        | {
            "said": "string",
            "age": "Int64",
            "share": "Float64",
            "day": "datetime64[s]",
            "clock": "object",
            "moment": "datetime64[us, UTC]",
            "colour": "category",
            "likes": "object",
            "spot__lat": "Float64",
            "spot__altitude": "Float64",
            "_edited": "boolean",
            "_submitted_at": "datetime64[us, UTC]",
            "_submission_id": "string",
        }
        == types
    )
    first, second = frame.iloc[0], frame.iloc[1]
    assert first["day"] == pd.Timestamp("2026-02-03")
    assert first["clock"] == time(10, 20)
    assert first["moment"] == pd.Timestamp("2026-02-03T08:00Z")
    assert (first["spot__lat"], first["spot__lon"], first["spot__accuracy"]) == (1.5, 2.5, 4)
    assert first["likes"] == ["sky", "red"]
    blank = [name for name in frame.columns if not name.startswith("_") and name not in ("said", "colour")]
    assert second[blank].isna().all()
    assert "name" not in frame.columns


def test_integers_stay_exact_beside_blanks(data):
    assert data.to_pandas("visit")["age"].tolist() == [9007199254740993, pd.NA, 7]


def test_categories_stand_in_the_order_of_the_list_with_choices_that_were_taken_away(data):
    colour = data.to_pandas("visit")["colour"]
    assert colour.tolist() == ["sky", "red", "grey"]
    assert colour.cat.categories.tolist() == ["red", "blue", "sky", "grey"]
    assert data.to_pandas("visit", labels=True)["colour"].tolist() == ["Sky blue", "Red", "Grey"]


def test_two_choices_of_one_label_stay_two(data):
    frame = data.to_pandas("visit", labels="fr")
    assert frame["colour"].cat.categories.tolist() == ["Rouge", "Bleu (blue)", "Bleu (sky)", "grey"]
    assert frame["colour"].tolist() == ["Bleu (sky)", "Rouge", "grey"]
    assert frame["likes"][0] == ["Bleu (sky)", "Rouge"]


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        ({"a": "X", "b": "Y"}, ["X", "Y"]),
        ({"a": "X", "b": "X"}, ["X (a)", "X (b)"]),
        ({"a": "X", "b": "X", "c": "X (a)"}, ["a", "b", "c"]),
        ({"a": "", "b": "a"}, ["a (a)", "a (b)"]),
    ],
)
def test_labels_never_clash(labels, shown):
    from dialogkit.reading.frames import labels_of

    choices = {code: {"en": label} for code, label in labels.items()}
    assert list(labels_of(list(labels), choices, "en").values()) == shown


def test_a_code_that_no_list_has_is_a_category_of_its_own(tmp_path):
    workspace = workspace_at(tmp_path)
    land(workspace, FIRST, [received(FIRST, {"colour": "zebra", "likes": "red zebra"}, "uuid:a")])
    with writing(workspace.warehouse) as db:
        db.execute("UPDATE accepted.visit SET colour = 'zebra', likes = ['red', 'zebra', NULL]")
    snapshot(workspace)
    with dialogkit.open(tmp_path) as opened:
        frame = opened.to_pandas("visit", labels="fr")
    assert frame["colour"].cat.categories.tolist() == ["Rouge", "Bleu (blue)", "Bleu (sky)", "zebra"]
    assert frame["colour"].tolist() == ["zebra"]
    assert frame["likes"][0] == ["Rouge", "zebra", None]


def test_labels_of_columns_go_along(data):
    frame = data.to_pandas("visit", labels="fr")
    assert frame.attrs["table"] == "visit"
    assert frame.attrs["labels"]["colour"] == "Couleur"
    assert frame.attrs["labels"]["spot__lat"] == "spot (lat)"
    assert "_submission_id" not in frame.attrs["labels"]


def test_where_chooses_rows_and_reaches_nothing_else(data):
    assert data.to_pandas("visit", where="age > 5 AND said <> 'first' -- a remark")["said"].tolist() == ["third"]
    assert data.join("visit__person", where="visit__age IS NULL").empty
    with pytest.raises(WarehouseError, match="WAREHOUSE-010"):
        data.to_pandas("visit", where="said IN (SELECT content FROM read_text('/etc/hostname'))")
    with pytest.raises(WarehouseError, match="saida"):
        data.to_pandas("visit", where="saida = 'x'")


def test_an_empty_table_has_its_columns_and_types(data):
    frame = data.to_pandas("visit", where="false")
    assert len(frame) == 0
    assert str(frame["age"].dtype) == "Int64"
    assert frame["colour"].cat.categories.tolist() == ["red", "blue", "sky", "grey"]


def test_rows_of_a_repeat_stand_in_their_order(data):
    dogs = data.to_pandas("visit__dog")
    assert dogs["call"].tolist() == [f"d{n}" for n in range(11)]
    assert dogs["_row"].tolist()[-2:] == ["1/10", "1/11"]


def test_a_repeat_is_joined_with_all_that_its_rows_belong_to(data):
    people = data.join("visit__person", labels="fr")
    assert people[["age", "visit__age", "said"]].values.tolist() == [[n, 9007199254740993, "first"] for n in (40, 50)]
    assert people["colour"].tolist() == ["Bleu (sky)"] * 2
    dogs = data.join("visit__dog")
    assert dogs["call"].tolist() == [f"d{n}" for n in range(11)]
    assert set(dogs["age"]) == {40}
    assert set(dogs["visit__age"]) == {9007199254740993}
    assert list(dogs.columns).count("_submission_id") == 1
    assert dogs["_parent_row"].tolist() == ["1"] * 11
    assert data.join("visit").equals(data.to_pandas("visit"))


def test_aliases_name_the_columns_for_statistics_packages(tmp_path):
    long = "a_question_whose_name_is_longer_than_thirty_two_characters"
    form = make_form("visit", "1", [("integer", long), ("geopoint", f"{long}_too")])
    workspace = workspace_at(tmp_path)
    land(workspace, form, [received(form, {long: "4"}, "uuid:a")])
    with writing(workspace.warehouse) as db:
        db.execute("UPDATE ops.columns SET alias = left(column_name, 30) || position")
    snapshot(workspace)
    with dialogkit.open(tmp_path) as opened:
        frame = opened.to_pandas("visit", aliases=True)
    asked = [name for name in frame.columns if not name.startswith("_")]
    assert asked[0] == f"{long[:30]}0"
    assert asked[1:] == [f"{long[:22]}__{part}" for part in ("lat", "lon", "altitude", "accuracy")]
    assert max(map(len, asked)) == 32
    assert frame[asked[0]].tolist() == [4]


def test_names_that_are_sql_keywords_or_twins_or_have_dots_are_read(tmp_path):
    names = ["select", "order", "a.b", "a-b", "Twin", "g/twin", "spot__lat", "c0"]
    form = make_form("odd-form.x", "1", [*(("integer", name) for name in names), ("geopoint", "spot")])
    workspace = workspace_at(tmp_path)
    answers = {name: str(number) for number, name in enumerate(names)} | {"spot": "8 9 0 0"}
    land(workspace, form, [received(form, answers, "uuid:a")])
    snapshot(workspace)
    with dialogkit.open(tmp_path) as opened:
        (table,) = opened.tables()
        frame = opened.to_pandas(table.table)
        columns = opened.columns(table.table).set_index("path")["name"]
        assert len(opened.to_pandas(table.table, where="c0 = 7")) == 1
        (file,) = opened.to_parquet(tmp_path / "out")
    assert [frame[columns[name]][0] for name in names] == list(range(len(names)))
    assert frame["spot__lat_2"].tolist() == [8]
    assert len({name.lower() for name in frame.columns}) == len(frame.columns)
    assert file.parent == tmp_path / "out"


def test_a_form_of_905_questions_is_one_frame(tmp_path):
    form = make_form("wide", "1", [("integer", f"q{number}") for number in range(905)])
    workspace = workspace_at(tmp_path)
    land(workspace, form, [received(form, {f"q{n}": str(n) for n in range(0, 905, 2)}, "uuid:a")])
    snapshot(workspace)
    with dialogkit.open(tmp_path) as opened:
        frame = opened.to_pandas("wide")
    assert sum(not name.startswith("_") for name in frame.columns) == 905
    assert (frame["q904"][0], frame["q903"].isna()[0]) == (904, True)


# --- SQL, Arrow, Parquet


def test_a_question_in_sql_comes_as_pandas_with_the_same_types(data):
    frame = data.sql(
        "SELECT said, age, sum(age) OVER () AS total, day, [1, 2] AS l, [[1], NULL] AS n, 'a' AS said "
        "FROM accepted.visit WHERE said <> ? ORDER BY 1",
        ["first"],
    )
    assert [str(kind) for kind in frame.dtypes][:4] == ["string", "Int64", "Int64", "datetime64[s]"]
    assert frame["total"].tolist() == [7, 7]
    assert frame["l"][0] == [1, 2]
    assert frame["n"][0] == [[1], None]
    assert frame.iloc[:, 6].tolist() == ["a", "a"]
    assert data.sql("SELECT $x::INTEGER AS x", {"x": 3})["x"].tolist() == [3]


def test_sums_that_a_float_cannot_hold_are_not_shown_as_whole_numbers(data):
    frame = data.sql("SELECT sum(age) AS a, sum(age) * 1000 AS b FROM accepted.visit WHERE age < 9000000000000")
    assert [str(kind) for kind in frame.dtypes] == ["Int64", "Int64"]
    assert str(data.sql("SELECT sum(age) * 1000 AS b FROM accepted.visit")["b"].dtype) == "Float64"


@pytest.mark.parametrize(
    "query",
    ["COPY accepted.visit TO '{out}'", "FROM read_csv('/etc/passwd')", "DELETE FROM accepted.visit", "FROM secret"],
)
def test_sql_reaches_nothing_but_the_snapshot(data, tmp_path, query):
    secret = pd.DataFrame({"a": ["x"]})
    with pytest.raises(WarehouseError, match="WAREHOUSE-010"):
        data.sql(query.format(out=tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []
    assert len(secret) == 1


@pytest.mark.parametrize("ask", ["SELECT said::INTEGER FROM accepted.visit", "SELECT error(said) FROM accepted.visit"])
def test_an_error_quotes_no_answer(data, ask):
    with pytest.raises(WarehouseError) as caught:
        data.sql(ask)
    assert "first" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_arrow_has_the_types_of_the_warehouse(data):
    table = data.to_arrow("visit")
    assert table.num_rows == 3
    assert str(table.schema.field("day").type) == "date32[day]"
    assert str(table.schema.field("moment").type) == "timestamp[us, tz=UTC]"
    assert table.column("likes").to_pylist() == [["sky", "red"], None, None]
    assert table.column("spot")[0].as_py()["lat"] == 1.5


def test_warehouse_056_without_pyarrow_arrow_says_what_to_install(data, monkeypatch):
    monkeypatch.setattr(reader, "find_spec", lambda _: None)
    with pytest.raises(WarehouseError, match=r"dialogkit\[arrow\]") as caught:
        data.to_arrow("visit")
    assert caught.value.code == "WAREHOUSE-056"


def test_parquet_of_the_same_data_has_the_same_bytes_in_whatever_order_it_came(place, data, tmp_path):
    other = workspace_at(tmp_path)
    third = received(SECOND, {"said": "third", "age": "7", "colour": "grey"}, "uuid:2")
    land(other, SECOND, [third])
    backwards = [received(FIRST, answers, f"uuid:{n}") for n, answers in reversed(list(enumerate(ANSWERS)))]
    land(other, FIRST, backwards, FIRST, SECOND)
    snapshot(other)
    files = data.to_parquet(tmp_path / "a")
    with dialogkit.open(tmp_path) as opened:
        again = opened.to_parquet(tmp_path / "b")
    assert [path.name for path in files] == ["visit.parquet", "visit__person.parquet", "visit__dog.parquet"]
    assert [path.read_bytes() for path in files] == [path.read_bytes() for path in again]
    assert data.to_parquet(tmp_path / "a") == files
    assert len(list((tmp_path / "a").iterdir())) == 3


def test_parquet_is_read_by_others_with_its_types(data, tmp_path):
    (path,) = data.to_parquet(tmp_path, tables=["visit"])
    with duckdb.connect() as db:
        rows = db.execute("SELECT said, age, day, likes FROM read_parquet(?)", [str(path)]).fetchall()
        (codec,) = db.execute("SELECT DISTINCT compression FROM parquet_metadata(?)", [str(path)]).fetchone()
    assert rows[0] == ("first", 9007199254740993, date(2026, 2, 3), ["sky", "red"])
    assert codec == "ZSTD"


def test_warehouse_057_a_folder_that_cannot_be_written_says_so(data, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WarehouseError, match="WAREHOUSE-057"):
        data.to_parquet(tmp_path / "file" / "x")


@pytest.mark.parametrize("statement", ["USE memory", "SET threads = 1", "BEGIN", "PREPARE a AS SELECT 1"])
def test_a_statement_that_changes_the_connection_is_refused(data, statement):
    with pytest.raises(WarehouseError) as caught:
        data.sql(statement)
    assert caught.value.code == "WAREHOUSE-010"
    assert len(data.sql("SELECT 1 AS a")) == 1
