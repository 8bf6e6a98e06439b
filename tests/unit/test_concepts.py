"""Concepts: one long view over forms that ask different things."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from dialogkit.bundled import bundled
from dialogkit.warehouse.concepts import RECORD_CONCEPTS, create_concepts


@pytest.fixture
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for file in sorted(bundled("warehouse/migrations").glob("*.sql")):
            connection.execute(file.read_text(encoding="utf-8"))
        yield connection


def make(db: duckdb.DuckDBPyConnection, table: str, columns: str, *, form: str = "f", repeat: str = "") -> None:
    """A table in `accepted`: `name type kind concept class, …`."""
    own = "_submission_id VARCHAR, _parent_row VARCHAR, _row VARCHAR, _position INTEGER"
    if not repeat:
        own = "_submission_id VARCHAR, _origin VARCHAR, _submitted_at TIMESTAMPTZ"
    parts = [column.split() for column in columns.split(",")]
    open_ = "".join(f', "{name}" {kind}' for name, kind, _, _, disclosure in parts if disclosure != "direct")
    db.execute(f'CREATE TABLE accepted."{table}" ({own}{open_})')
    for position, (name, _, kind, concept, disclosure) in enumerate(parts):
        row = [
            form,
            table,
            repeat,
            name,
            name,
            kind,
            concept.strip("-"),
            disclosure,
            "",
            "",
            "{}",
            position,
            "[]",
            name,
        ]
        db.execute(f"INSERT INTO ops.columns VALUES ({', '.join('?' * 14)})", row)


def test_nothing_landed_gives_empty_views_with_every_column(db: duckdb.DuckDBPyConnection) -> None:
    create_concepts(db)
    for view in ("answers", "records", "dialogues", "dialogue_barriers", "dialogue_recs", "dialogue_outputs", "groups"):
        assert db.execute(f"FROM concepts.{view}").fetchall() == [], view
    assert {name for name, *_ in db.execute("DESCRIBE concepts.records").fetchall()} >= {*RECORD_CONCEPTS, "k", "month"}


def test_answers_are_one_row_a_code_of_every_form_and_never_identifiers(db: duckdb.DuckDBPyConnection) -> None:
    make(db, "f", "topics VARCHAR[] select_multiple event.topics none, n BIGINT integer event.n none, "
                  "who VARCHAR text event.who direct, plain VARCHAR text - none")  # fmt: skip
    make(db, "f__rep", "d DATE date followup.date none, s VARCHAR select_one sev none", repeat="rep")
    make(db, "g", "topics VARCHAR select_one event.topics none", form="g")
    db.execute("INSERT INTO accepted.f VALUES ('1', 'server', now(), ['a', 'b'], 7, 'x')")
    db.execute("INSERT INTO accepted.f VALUES ('2', 'server', now(), [], NULL, 'x')")
    db.execute("INSERT INTO accepted.f__rep VALUES ('1', '', '2', 2, DATE '2026-01-05', '3')")
    db.execute("INSERT INTO accepted.g VALUES ('9', 'server', now(), 'a')")
    create_concepts(db)
    kept = "concept, form_id, table_name, row, position, value, number, CAST(day AS VARCHAR)"
    rows = db.execute(f"SELECT {kept} FROM concepts.answers ORDER BY concept, form_id, value").fetchall()
    assert rows == [
        ("event.n", "f", "f", "", 0, "7", 7.0, None),
        ("event.topics", "f", "f", "", 0, "a", None, None),
        ("event.topics", "f", "f", "", 0, "b", None, None),
        ("event.topics", "g", "g", "", 0, "a", None, None),
        ("followup.date", "f", "f__rep", "2", 2, "2026-01-05", None, "2026-01-05"),
        ("sev", "f", "f__rep", "2", 2, "3", 3.0, None),
    ]


def test_a_text_that_reads_like_no_number_has_none(db: duckdb.DuckDBPyConnection) -> None:
    make(db, "f", "a VARCHAR text c none")
    db.execute("INSERT INTO accepted.f VALUES ('1', 'server', now(), 'nan'), ('2', 'server', now(), 'inf')")
    create_concepts(db)
    assert db.execute("SELECT DISTINCT number FROM concepts.answers").fetchall() == [(None,)]


def test_a_form_without_concepts_has_records_that_are_internal(db: duckdb.DuckDBPyConnection) -> None:
    make(db, "f", "a VARCHAR text - none")
    db.execute("INSERT INTO accepted.f VALUES ('1', 'server', now(), 'x')")
    create_concepts(db)
    assert db.execute("SELECT country, internal_base, published_base, k, month FROM concepts.records").fetchall() == [
        (None, True, False, 10, None)
    ]


CONSENT = (
    "gate VARCHAR text consent.gate none, pub VARCHAR select_one consent.publish_anon none, "
    "fin VARCHAR select_one consent.final_choice none, basis VARCHAR select_one consent.basis none, "
    "risk VARCHAR select_one consent.risk indirect"
)


@pytest.mark.parametrize(
    ("origin", "answers", "internal", "published", "record", "k"),
    [
        ("server", ("1", "yes", "as_agreed", None, "low"), True, True, True, 5),
        ("server", ("1", "yes", "as_agreed", None, "moderate"), True, True, True, 5),
        ("server", ("1", "yes", "as_agreed", None, "high"), True, True, True, 10),
        ("server", ("1", "yes", "as_agreed", None, None), True, True, True, 10),
        # In no published base: any figure with under ten such records could be taken apart by the extracts.
        ("server", ("1", "yes", "as_agreed", None, "severe"), True, False, False, 10),
        ("server", ("1", "yes", "internal_only", None, "low"), True, False, False, 5),
        ("server", ("1", "no", "as_agreed", None, "low"), True, False, False, 5),
        ("server", ("1", None, None, None, "low"), True, False, False, 5),
        ("server", ("1", "yes", "delete", None, "low"), False, False, False, 5),
        ("server", ("0", "yes", "as_agreed", None, "low"), False, False, False, 5),
        ("server", ("1", None, None, "public_source", None), True, False, False, 10),
        ("import", ("1", None, None, "public_source", None), True, True, True, 10),
        ("import", ("0", None, None, "public_source", None), False, False, False, 10),
    ],
)
def test_who_counts_and_who_is_published(
    db: duckdb.DuckDBPyConnection,
    origin: str,
    answers: tuple[str | None, ...],
    internal: bool,
    published: bool,
    record: bool,
    k: int,
) -> None:
    make(db, "f", CONSENT)
    db.execute("INSERT INTO accepted.f VALUES ('1', ?, now(), ?, ?, ?, ?, ?)", [origin, *answers])
    create_concepts(db)
    query = "SELECT internal_base, published_base, published_record, k FROM concepts.records"
    assert db.execute(query).fetchall() == [(internal, published, record, k)]


def test_a_retyped_question_gives_its_latest_answer(db: duckdb.DuckDBPyConnection) -> None:
    make(db, "f", "country VARCHAR text geo.country none, country__2 VARCHAR select_one geo.country none")
    db.execute("INSERT INTO accepted.f VALUES ('1', 'server', now(), 'old', 'KEN')")
    db.execute("INSERT INTO accepted.f VALUES ('2', 'server', now(), 'UGA', NULL)")
    create_concepts(db)
    assert db.execute("SELECT country FROM concepts.records ORDER BY submission_id").fetchall() == [("KEN",), ("UGA",)]


def test_concepts_can_be_made_again_after_more_has_landed(db: duckdb.DuckDBPyConnection) -> None:
    create_concepts(db)
    make(db, "f", "country VARCHAR text geo.country none")
    db.execute("INSERT INTO accepted.f VALUES ('1', 'server', now(), 'KEN')")
    create_concepts(db)
    assert db.execute("SELECT count(*) FROM concepts.records").fetchone() == (1,)


def test_every_country_has_a_point_on_earth_and_every_barrier_a_family(db: duckdb.DuckDBPyConnection) -> None:
    create_concepts(db)
    on_earth = "SELECT count(*) FROM concepts.countries WHERE abs(lat) <= 90 AND abs(lon) <= 180"
    assert db.execute(on_earth).fetchone() == (250,)
    assert db.execute("SELECT count(*), count(DISTINCT family) FROM concepts.barriers").fetchone() == (36, 8)
