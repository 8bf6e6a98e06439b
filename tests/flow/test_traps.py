"""Traps of DuckDB that were measured once (docs/landing-traps.md), each in the way of a landing."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from dialogkit.errors import BatchError, NormalizeError
from dialogkit.instance import read_instance
from dialogkit.pull.batches import open_batch
from dialogkit.warehouse.connect import writing
from dialogkit.warehouse.snapshot import make_snapshot, open_snapshot
from tests.accounting import account, cells_of
from tests.builders import land_batch, lines_of, make_form, received, rows_of, stage_batch, write_batch

TEXT = make_form("f", "1", [("text", "a")])


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:-size])


def issues(db: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return db.execute("SELECT path, raw FROM ops.issues ORDER BY ALL").fetchall()


def test_a_compressed_file_that_lost_its_end_is_noticed_where_duckdb_says_nothing(db, tmp_path):
    batch = write_batch(tmp_path, TEXT, [{"a": "x"}] * 1000)
    cut(batch.submissions, 6)
    read = f"SELECT count(*) FROM read_ndjson_objects('{batch.submissions}')"
    with suppress(duckdb.Error):  # where the cut falls inside a line, DuckDB does say it
        assert db.execute(read).fetchone() < (1000,)
    with pytest.raises(BatchError, match="BATCH-003"):
        open_batch(batch.folder)
    with pytest.raises(NormalizeError, match=r"NORMALIZE-00[12]"):
        stage_batch(db, batch)


def test_two_repeats_of_different_length_beside_each_other_do_not_fill_each_other_up(db, tmp_path):
    asked = [("repeat", "r"), ("text", "r/a"), ("repeat", "s"), ("text", "s/b"), ("repeat", "r/t"), ("text", "r/t/c")]
    rows = [{"r/a": "1", "r/t": [{"r/t/c": "x"}, {"r/t/c": "y"}]}, {}, {"r/a": "3", "r/t": [{"r/t/c": "z"}]}]
    batch = write_batch(tmp_path, make_form("f", "1", asked), [{"r": rows, "s": [{"s/b": "1"}]}, {"s": []}, {}])
    land_batch(db, batch)
    assert account(db, batch) == 6
    places = {
        table: [row["_row"] for row in rows_of(db, f'SELECT _row FROM accepted."{table}" ORDER BY 1')]
        for table in ("f__r", "f__s", "f__t")
    }
    assert places == {"f__r": ["1", "2", "3"], "f__s": ["1"], "f__t": ["1/1", "1/2", "3/1"]}


def test_twins_in_case_stand_in_columns_and_tables_of_their_own(db, tmp_path):
    """A struct gives the value of "A" for r."a"; a table takes no two columns that differ in case only."""
    asked = [("text", "a"), ("text", "A"), ("repeat", "R"), ("text", "R/b"), ("repeat", "r"), ("text", "r/b")]
    answers = {"a": "small", "A": "large", "R": [{"R/b": "L"}], "r": [{"r/b": "s"}, {"r/b": "t"}]}
    batch = write_batch(tmp_path, make_form("f", "1", asked), [answers, {"a": "only"}])
    land_batch(db, batch)
    assert account(db, batch) == 6
    cells = {key[1:]: cell for key, (_, cell) in cells_of(db, "f").items() if key[0] == "uuid:1"}
    assert cells == {
        ("", "", "a"): "small",
        ("", "", "A"): "large",
        ("R", "1", "R/b"): "L",
        ("r", "1", "r/b"): "s",
        ("r", "2", "r/b"): "t",
    }


def test_an_element_that_stands_twice_is_one_key_with_both_answers(db, tmp_path):
    """Of one key twice in a JSON object the first would win; a batch has no key twice."""
    instance = read_instance(b"<data id='f'><a>first</a><a>second</a><b><c>1</c></b><b><c>2</c></b></data>")
    batch = write_batch(tmp_path, TEXT, [instance.answers])
    (line,) = lines_of(batch)
    assert line["answers"] == {"a": [{"a": "first"}, {"a": "second"}], "b": [{"b/c": "1"}, {"b/c": "2"}]}
    land_batch(db, batch)
    assert account(db, batch) == 2


def test_a_value_of_the_wrong_shape_neither_stops_the_others_nor_goes(db, tmp_path):
    """`read_json` with columns would abort the file, or give NULL and say nothing."""
    form = make_form("f", "1", [("integer", "n"), ("text", "a"), ("repeat", "r"), ("integer", "r/n")])
    some = [
        {"n": "1", "a": "x", "r": [{"r/n": "2"}]},
        {"n": [{"n": "1"}, {"n": "2"}], "a": [{"a": "y"}], "r": "no rows"},
        {"n": "3", "a": "z", "r": [{"r/n": [{"r/n": "4"}]}, {"r/n": "5"}]},
    ]
    batch = write_batch(tmp_path, form, some)
    land_batch(db, batch)
    assert account(db, batch) == 10
    assert [row["n"] for row in rows_of(db, "SELECT n FROM accepted.f ORDER BY _submission_id")] == [1, None, 3]
    assert issues(db) == [("n", '[{"n":"1"},{"n":"2"}]'), ("r/n", '[{"r/n":"4"}]')]


_TOO_KIND = ["12.6", "1e3", "1_000", "0x1F", " 12 ", "12 ", "nan", "infinity", "epoch", "-infinity", "now", "today"]


@pytest.mark.parametrize(
    ("kind", "good", "also"),
    [
        ("integer", "12", []),
        ("decimal", "12.5", ["12.6", "1e3"]),
        ("date", "2026-11-20", []),
        ("time", "10:00:00", []),
        ("datetime", "2026-11-20T10:00:00Z", []),
    ],
)
def test_a_cast_that_is_too_kind_is_not_asked(db, tmp_path, kind, good, also):
    texts = [good, *_TOO_KIND, "", "2026-11-20 10:00:00", "20-11-2026", "1,5"]
    batch = write_batch(tmp_path, make_form("f", "1", [(kind, "q")]), [{"q": text} for text in texts])
    land_batch(db, batch)
    account(db, batch)
    assert {raw for _, raw in issues(db)} == set(texts) - {good, *also}


def test_a_time_keeps_its_point_in_time_and_its_offset_as_typed(db, tmp_path):
    """A zoned text cast to TIMESTAMP would lose its offset."""
    texts = [
        "2026-11-20T10:00:00.000+02:00",
        "2026-11-20T08:00:00Z",
        "2026-11-20T13:30:00+05:30",
        "2026-11-20T10:00:00",
    ]
    form = make_form("f", "1", [("datetime", "met")])
    batch = write_batch(tmp_path, form, [{"met": text} for text in texts])
    land_batch(db, batch)
    account(db, batch)
    rows = db.execute("SELECT epoch(met), met__offset FROM accepted.f ORDER BY _submission_id").fetchall()
    assert rows == [(1795161600, "+02:00"), (1795161600, "Z"), (1795161600, "+05:30"), (None, None)]
    assert issues(db) == [("met", texts[3])]


def test_texts_stay_as_they_were_typed_also_inside_of_what_nobody_asked(db, tmp_path):
    """A VARIANT would give 1.5 for 1.50 and another order of keys."""
    odd = [{"zeta": "1.50", "alpha": "0007", "mid": [{"z": "1e0", "a": "+1"}]}]
    batch = write_batch(tmp_path, TEXT, [{"a": "1.50", "odd": odd}])
    land_batch(db, batch)
    assert db.execute("SELECT a FROM accepted.f").fetchone() == ("1.50",)
    (raw,) = db.execute("SELECT raw FROM ops.drift").fetchone()
    assert raw == '[{"zeta":"1.50","alpha":"0007","mid":[{"z":"1e0","a":"+1"}]}]'
    types = {kind for (kind,) in db.execute("SELECT DISTINCT data_type FROM duckdb_columns()").fetchall()}
    assert "VARIANT" not in types


def test_many_small_landings_do_not_bloat_the_warehouse(tmp_path):
    count, words = 12, "word " * 40
    sizes = {}
    for name, group in (("one", count), ("many", 1)):
        path = tmp_path / name / "w.duckdb"
        for first in range(0, count, group):
            some = [received(TEXT, {"a": f"{words}{n}"}, f"uuid:{n}") for n in range(first, first + group)]
            with writing(path) as db:
                land_batch(db, write_batch(tmp_path / name, TEXT, some), TEXT)
        sizes[name] = path.stat().st_size
    assert sizes["many"] <= 2 * sizes["one"]


def test_a_snapshot_has_what_is_still_in_the_log_beside_the_warehouse(tmp_path):
    """A copy of the file alone would miss it."""
    path, killed, bare = (tmp_path / name / "w.duckdb" for name in ("here", "killed", "bare"))
    killed.parent.mkdir()
    bare.parent.mkdir()
    with writing(path) as db:
        db.execute("CHECKPOINT")
        db.execute("SET checkpoint_threshold = '1TB'")
        land_batch(db, write_batch(tmp_path / "batches", TEXT, [{"a": "x"}, {"a": "y"}]))
        # As a kill would leave it.
        for target in (killed, bare):
            shutil.copyfile(path, target)
        shutil.copyfile(f"{path}.wal", f"{killed}.wal")
    make_snapshot(killed, tmp_path / "snapshots")
    with open_snapshot(tmp_path / "snapshots") as shown:
        assert shown.execute("SELECT count(*) FROM accepted.f").fetchone() == (2,)
    with duckdb.connect(str(bare), read_only=True) as lost, pytest.raises(duckdb.CatalogException):
        lost.execute("FROM accepted.f")
