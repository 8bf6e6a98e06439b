"""Views of a snapshot: choices as columns, places as text, labels in place of codes."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from dialogkit import sql
from dialogkit.forms.build import build_form
from dialogkit.forms.versions import keep_version
from dialogkit.model.form import BuiltForm, Choice, Form
from dialogkit.model.submission import Answers
from dialogkit.normalize.schema import tables_of
from dialogkit.steps.land import land
from dialogkit.steps.query import query
from dialogkit.warehouse.ddl import prepare_tables, write_codebook
from dialogkit.warehouse.snapshot import current_snapshot, make_snapshot
from dialogkit.warehouse.view_labels import schemas_of
from dialogkit.warehouse.views import create_views
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import make_form, received, write_batch

FIRST = """
| survey   |
|          | type                   | name   | label::English (en) | label::Français (fr) | disclosure |
|          | text                   | name   | Name                | Nom                  | direct |
|          | select_one yes_no      | agreed | Agreed?             | D'accord ?           | none |
|          | select_multiple topics | topic  | Topics              | Sujets               | none |
|          | select_multiple topics | hidden | Hidden              | Caché                | direct |
|          | select_multiple left   | extra  | Extra               | En plus              | none |
|          | rank topics            | order  | Order               | Ordre                | none |
|          | select_one many        | place  | Place               | Lieu                 | none |
|          | select_multiple many   | places | Places              | Lieux                | none |
|          | geopoint               | at     | Where               | Où                   | indirect |
|          | begin repeat           | person | People              | Personnes            | |
|          | select_multiple topics | likes  | Likes               | Aime                 | none |
|          | end repeat             |        |                     |                      | |
| choices  |
|          | list_name | name  | label::English (en) | label::Français (fr) |
|          | yes_no    | yes   | Yes                 | Oui                  |
|          | yes_no    | no    | No                  |                      |
|          | left      | gone  | Gone                | Parti                |
|          | topics    | money | Money               | Argent               |
|          | topics    | Money | MONEY               | ARGENT               |
|          | topics    | o'd"d | It's "odd"          | C'est « bizarre »    |
|          | topics    | old   | Old                 | Vieux                |
{many}
| settings |
|          | form_title | form_id | version |
|          | Visit      | visit   | {version} |
"""
MANY = "\n".join(f"|          | many | p{n} | Place {n} | Lieu {n} |" for n in range(1454))
OTHER = """
| survey   |
|          | type              | name   | label  | disclosure |
|          | select_one yes_no | agreed | Agreed | none |
| choices  |
|          | list_name | name | label |
|          | yes_no    | yes  | Sure  |
| settings |
|          | form_title | form_id | version |
|          | Other      | other   | 1       |
"""


def form_of(folder: Path, name: str, text: str) -> BuiltForm:
    (folder / f"{name}.md").write_text(text)
    return build_form(folder / f"{name}.md")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two versions of a form in two languages, another form without any, landed, with a snapshot."""
    root = tmp_path_factory.mktemp("views")
    (root / "dialogkit.toml").write_text('[forms.visit]\nfile = "visit.md"\n[forms.other]\nfile = "other.md"\n')
    workspace = open_workspace(root)
    first = FIRST.format(many=MANY, version=1)
    # A choice goes, a choice comes, and a question changes its list.
    second = FIRST.format(many=MANY, version=2)
    for old, new in {
        "| old   | Old                 | Vieux ": "| new   | New                 | Neuf  ",
        "select_multiple left  ": "select_multiple topics",
    }.items():
        assert old in second
        second = second.replace(old, new)
    some: dict[str, Sequence[tuple[str, Answers]]] = {
        first: [
            (
                "uuid:1",
                {
                    "name": "Nameberry",
                    "agreed": "no",
                    "topic": "old money o'd\"d",
                    "hidden": "old",
                    "extra": "gone",
                    "order": "old money",
                    "place": "p1453",
                    "places": "p9 p1000",
                    "at": "1.5 -2 30 4",
                    "person": [{"person/likes": "money"}, {}],
                },
            )
        ],
        second: [("uuid:2", {"agreed": "yes", "topic": "new", "extra": "money", "at": "0.00001 7"}), ("uuid:3", {})],
        OTHER: [("uuid:4", {"agreed": "yes"})],
    }
    for number, (text, answers) in enumerate(some.items()):
        built = form_of(root, f"v{number}", text)
        keep_version(workspace.versions, built)
        write_batch(workspace.batches, built.form, [received(built.form, a, key) for key, a in answers])
    land(workspace)
    make_snapshot(workspace.warehouse, workspace.snapshots)
    return workspace


def rows(shown: Workspace, statement: str) -> list[tuple[object, ...]]:
    return query(shown, statement)[1]


def names(shown: Workspace, table: str) -> list[str]:
    return query(shown, f"FROM {table} LIMIT 0")[0]


def test_split_has_a_column_for_each_choice_of_all_versions_and_for_codes_of_no_list(shown: Workspace) -> None:
    assert [name for name in names(shown, "split.visit") if name.startswith(("_", "topic/", "extra/gone"))] == [
        "_submission_id",
        "topic/money",
        "topic/Money__2",
        "topic/o'd\"d",
        "topic/old",
        "topic/new",
        "extra/gone",
    ]
    wanted = '"topic/money", "topic/Money__2", "topic/o\'d""d", "topic/old", "topic/new", "extra/gone"'
    assert rows(shown, f"SELECT _submission_id, {wanted} FROM split.visit ORDER BY 1") == [
        ("uuid:1", 1, 0, 1, 1, 0, 1),
        ("uuid:2", 0, 0, 0, 0, 1, 0),
        ("uuid:3", *[None] * 6),
    ]
    assert rows(shown, 'SELECT DISTINCT typeof("topic/money") FROM split.visit') == [("TINYINT",)]


def test_split_takes_long_lists_and_ranks_and_no_identifier(shown: Workspace) -> None:
    found = names(shown, "split.visit")
    assert sum(name.startswith("places/") for name in found) == 1454
    assert rows(shown, 'SELECT "places/p9", "places/p8", "order/old" FROM split.visit ORDER BY _submission_id')[0] == (
        1,
        0,
        1,
    )
    assert not [name for name in found if name.startswith("hidden")]


def test_split_of_a_repeat_has_its_keys(shown: Workspace) -> None:
    assert names(shown, "split.visit__person")[:3] == ["_submission_id", "_row", "likes/money"]
    assert rows(shown, 'SELECT _row, "likes/money" FROM split.visit__person ORDER BY 1') == [("1", 1), ("2", None)]


def test_split_and_geo_have_only_tables_with_something_to_show(shown: Workspace) -> None:
    views = "SELECT schema_name, view_name FROM duckdb_views() WHERE schema_name IN ('split', 'geo') ORDER BY ALL"
    assert rows(shown, views) == [("geo", "visit"), ("split", "visit"), ("split", "visit__person")]


def test_labels_stand_in_place_of_codes_in_each_language(shown: Workspace) -> None:
    wanted = "SELECT agreed, topic, extra, place, places FROM labels_{}.visit ORDER BY _submission_id"
    assert rows(shown, wanted.format("en")) == [
        ("No", ["Old", "Money", 'It\'s "odd"'], ["gone"], "Place 1453", ["Place 9", "Place 1000"]),
        ("Yes", ["New"], ["Money"], None, None),
        (None, None, None, None, None),
    ]
    # `no` has no French label, `gone` stands in no list any more that a question uses.
    assert rows(shown, wanted.format("fr")) == [
        ("No", ["Vieux", "Argent", "C'est « bizarre »"], ["gone"], "Lieu 1453", ["Lieu 9", "Lieu 1000"]),
        ("Oui", ["Neuf"], ["Argent"], None, None),
        (None, None, None, None, None),
    ]
    assert rows(shown, "SELECT agreed FROM labels_default.other") == [("Sure",)]


def test_labels_have_the_columns_of_accepted_and_change_nothing_else(shown: Workspace) -> None:
    for table in ("visit", "visit__person"):
        assert names(shown, f"labels_en.{table}") == names(shown, f"accepted.{table}")
    kept = '* EXCLUDE (agreed, topic, extra, "order", place, places)'
    changed = f"SELECT {kept} FROM labels_fr.visit EXCEPT SELECT {kept} FROM accepted.visit"
    assert rows(shown, changed) == []
    schemas = "SELECT DISTINCT schema_name, view_name FROM duckdb_views() WHERE schema_name LIKE 'labels%' ORDER BY ALL"
    assert rows(shown, schemas) == [
        ("labels_default", "other"),
        ("labels_en", "visit"),
        ("labels_en", "visit__person"),
        ("labels_fr", "visit"),
        ("labels_fr", "visit__person"),
    ]


def test_a_list_is_a_function_that_names_codes(shown: Workspace) -> None:
    given = "SELECT labels_fr.\"visit/yes_no\"('yes'), labels_en.\"visit/many[]\"(['p7', 'zz', NULL])"
    assert rows(shown, given) == [("Oui", ["Place 7", "zz", None])]


def test_no_view_shows_an_identifier(shown: Workspace) -> None:
    assert b"Nameberry" not in current_snapshot(shown.snapshots).read_bytes()
    found = "SELECT schema_name FROM duckdb_columns() WHERE column_name IN ('name', 'hidden') AND schema_name <> 'ops'"
    assert [name for (name,) in rows(shown, found) if name.startswith(("labels", "split", "geo", "accepted"))] == []


def test_the_views_stand_in_the_warehouse_of_a_time_too(shown: Workspace) -> None:
    (count,) = rows(shown, "SELECT count(*) FROM duckdb_views() WHERE schema_name = 'labels_fr'")
    today = "SELECT current_date::VARCHAR"
    day = str(rows(shown, today)[0][0])
    assert query(shown, "SELECT count(*) FROM duckdb_views() WHERE schema_name = 'labels_fr'", day)[1] == [count]
    assert query(shown, "SELECT agreed FROM labels_fr.visit WHERE _submission_id = 'uuid:2'", day)[1] == [("Oui",)]


def test_a_point_is_wkt_and_geojson(shown: Workspace) -> None:
    found = rows(shown, "SELECT at__wkt, at__geojson FROM geo.visit ORDER BY _submission_id")
    assert [wkt for wkt, _ in found] == ["POINT(-2.0 1.5)", "POINT(7.0 1e-05)", None]
    assert [json.loads(str(text)) if text else None for _, text in found] == [
        {"type": "Point", "coordinates": [-2.0, 1.5, 30.0]},
        {"type": "Point", "coordinates": [7.0, 0.00001]},
        None,
    ]


def place_of(*points: tuple[float | None, ...] | None) -> str:
    """A list of points in SQL."""
    facts = [
        "NULL"
        if point is None
        else "{{'lat': {}, 'lon': {}, 'altitude': {}, 'accuracy': NULL}}".format(
            *("NULL" if number is None else f"'{number}'::DOUBLE" for number in point)
        )
        for point in points
    ]
    return f"[{', '.join(facts)}]"


AREA, RING = "POLYGON((1.0 0.0, 3.0 2.0, 5.0 4.0, 1.0 0.0))", [[[1, 0], [3, 2, 9.5], [5, 4], [1, 0]]]
A, B, C = (0.0, 1.0, None), (2.0, 3.0, 9.5), (4.0, 5.0, None)


@pytest.mark.parametrize(
    ("kind", "points", "wkt", "coordinates"),
    [
        ("geotrace", [A, B], "LINESTRING(1.0 0.0, 3.0 2.0)", [[1, 0], [3, 2, 9.5]]),
        ("geotrace", [A], None, None),
        ("geotrace", [], None, None),
        ("geotrace", [A, (None, 1.0, None)], None, None),
        ("geotrace", [A, None], None, None),
        ("geotrace", [A, (float("nan"), 1.0, None)], None, None),
        ("geotrace", [A, (0.0, 1.0, float("inf"))], "LINESTRING(1.0 0.0, 1.0 0.0)", [[1, 0], [1, 0]]),
        (
            "geoshape",
            [A, B, C, A],
            "POLYGON((1.0 0.0, 3.0 2.0, 5.0 4.0, 1.0 0.0))",
            [[[1, 0], [3, 2, 9.5], [5, 4], [1, 0]]],
        ),
        (
            "geoshape",
            [A, B, C],
            "POLYGON((1.0 0.0, 3.0 2.0, 5.0 4.0, 1.0 0.0))",
            [[[1, 0], [3, 2, 9.5], [5, 4], [1, 0]]],
        ),
        ("geoshape", [A, B], None, None),
        ("geoshape", [], None, None),
    ],
)
def test_a_line_and_an_area_are_valid_or_null(
    kind: str, points: Sequence[tuple[float | None, ...] | None], wkt: str | None, coordinates: object
) -> None:
    with book(make_form("f", "1", [(kind, "w", {"disclosure": "none"})])) as db:
        db.execute(f"INSERT INTO accepted.f (_submission_id, w) VALUES ('a', {place_of(*points)}), ('b', NULL)")
        create_views(db)
        found = db.execute("FROM geo.f ORDER BY 1").fetchall()
    assert [row[:2] for row in found] == [("a", wkt), ("b", None)]
    assert found[1][2] is None
    name = {"geotrace": "LineString", "geoshape": "Polygon"}[kind]
    whole = None if coordinates is None else {"type": name, "coordinates": coordinates}
    assert (json.loads(found[0][2]) if found[0][2] else None) == whole


def book(*forms: Form) -> duckdb.DuckDBPyConnection:
    """What a snapshot has before its views: the tables of some forms, empty, and the codebook."""
    db = duckdb.connect()
    for schema in ("accepted", "held", "identifiers", "history", "ops"):
        db.execute(f"CREATE SCHEMA {schema}")
    migration = Path(__file__).parents[2] / "warehouse" / "migrations"
    for path in sorted(migration.glob("*.sql")):
        db.execute(path.read_text(encoding="utf-8").replace("CREATE SCHEMA history;", ""))
    for form in forms:
        tables = tables_of([form])
        prepare_tables(db, tables)
        write_codebook(db, tables, {form.version: form})
    return db


def test_codes_of_an_unknown_list_become_columns_up_to_a_thousand() -> None:
    with book(make_form("f", "1", [("select_multiple", "m")])) as db:
        db.execute("INSERT INTO accepted.f (_submission_id, m) SELECT 'a', list('c' || i) FROM range(1200) r(i)")
        for key, codes in {"b": ["c1199", None, "n\0l"], "c": ["n\0l"]}.items():
            db.execute("INSERT INTO accepted.f (_submission_id, m) VALUES (?, ?)", [key, codes])
        create_views(db)
        cursor = db.execute("FROM split.f ORDER BY 1")
        found = [column[0] for column in cursor.description]
        last = cursor.fetchall()[1]
    assert len(found) == 1001
    assert last[found.index("m/c1199")] == last[found.index("m/n\ufffdl")] == 1


def test_names_of_every_kind_are_columns_and_never_sql() -> None:
    odd = ["select", "a b", 'q"; DROP TABLE accepted.f; --', "ünï", "x" * 120, "{p}", "code", "codes", "p"]
    kinds = ("select_one", "select_multiple", "geopoint", "geoshape")
    facts = {"choices": ["');--", 'a"', "{0}", "a/b"], "disclosure": "none"}
    with book(make_form("f", "1", [(kind, f"{name}_{kind}", facts) for name in odd for kind in kinds])) as db:
        several = [sql.name(f"{name}_select_multiple") for name in odd]
        columns, marks = ", ".join(several), ", [?]" * len(odd)
        db.execute(f"INSERT INTO accepted.f (_submission_id, {columns}) SELECT 'a'{marks}", ["');--"] * len(odd))
        create_views(db)
        ticked = db.execute("SELECT * EXCLUDE (_submission_id) FROM split.f").fetchone() or ()
        assert (len(ticked), sum(ticked)) == (4 * len(odd), len(odd))
        assert len(db.execute("FROM geo.f").fetchone() or ()) == 1 + 4 * len(odd)
        assert db.execute(f"SELECT {columns} FROM labels_default.f").fetchone() == (["');--"],) * len(odd)


@pytest.mark.parametrize(
    ("languages", "schemas"),
    [
        (["English (en)", "Français"], ["labels_en", "labels_francais"]),
        (["Português (pt-BR)"], ["labels_pt_br"]),
        (["English (en)", "English UK (EN)", "en"], ["labels_en", "labels_en__2", "labels_en__3"]),
        (["", "default"], ["labels_default", "labels_default__2"]),
        (["中文", "हिन्दी", "العربية"], ["labels_中文", "labels_हिन्दी", "labels_العربية"]),
        (["a'b\"c;", "()", "//"], ["labels_a_b_c", "labels_default", "labels_default__2"]),
    ],
)
def test_each_language_of_a_form_has_a_schema(languages: list[str], schemas: list[str]) -> None:
    assert schemas_of(languages) == dict(zip(languages, schemas, strict=True))


def long_form(many: int, choices: int, *kinds: str) -> Form:
    """A form of `many` questions, of each kind in turn, over one list."""
    asked = [(kinds[n % len(kinds)], f"q{n}", {"list_name": "l", "disclosure": "none"}) for n in range(many)]
    form = make_form("f", "1", asked)
    listed = tuple(Choice(f"c{n}", {"": f"Label {n}"}) for n in range(choices))
    return replace(form, choice_lists={"l": listed})


def test_views_of_a_table_of_905_columns_are_made_in_a_moment() -> None:
    with book(long_form(905, 12, "select_one", "select_multiple", "text")) as db:
        began = time.process_time()
        create_views(db)
        # 0.2 seconds where nothing else runs.
        assert time.process_time() - began < 2
        (found,) = db.execute("SELECT count(*) FROM duckdb_columns() WHERE schema_name = 'split'").fetchone() or ()
        assert found == 1 + 12 * 302


@pytest.mark.parametrize("choices", [5, 1454])
def test_labels_cost_a_small_factor_of_a_scan(choices: int) -> None:
    with book(long_form(20, choices, "select_one")) as db:
        ones = [f"q{n}" for n in range(20)]
        codes = ", ".join(f"'c' || (i * {n + 7} % {choices})" for n in range(20))
        db.execute(f"INSERT INTO accepted.f ({', '.join(ones)}) SELECT {codes} FROM range(100000) r(i)")
        create_views(db)
        db.execute("SET threads = 1")
        hashes = f"SELECT {', '.join(f'max(hash({name}))' for name in ones)} FROM "
        scan, labels = (cpu(db, hashes + table) for table in ("accepted.f", "labels_default.f"))
    # 1 to 6 where nothing else runs; a MAP takes 40.
    assert labels < 15 * scan


def cpu(db: duckdb.DuckDBPyConnection, query: str) -> float:
    """The least CPU time of three runs."""
    times = []
    for _ in range(3):
        began = time.process_time()
        db.execute(query).fetchall()
        times.append(time.process_time() - began)
    return min(times)
