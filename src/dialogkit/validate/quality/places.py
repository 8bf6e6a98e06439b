"""Places that are none, that lie outside the country, or where too many submissions were made."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from dialogkit import sql
from dialogkit.bundled import data_file
from dialogkit.model.table import Column
from dialogkit.validate.quality.ground import Ground
from dialogkit.validate.rule import Rule

#: Mean radius of the earth in metres (IUGG), and metres of a degree of latitude on that sphere.
_RADIUS: Final = 6371008.8
_DEGREE: Final = 111195.08
#: Code of a country, then west, south, east, north.
_Box = tuple[str, float, float, float, float]


def points(ground: Ground) -> Iterator[Rule]:
    """Latitude and longitude are exactly 0, are none of the earth, or are less accurate than the settings ask."""
    columns = _points(ground)
    accuracy = ground.settings.number("accuracy")
    for column in columns:
        cell = f"m.{sql.name(column.name)}"
        bad = f"({cell}.lat = 0 AND {cell}.lon = 0) OR abs({cell}.lat) > 90 OR abs({cell}.lon) > 180"
        if accuracy:
            bad += f" OR {cell}.accuracy > {accuracy}"
        yield ground.rule(f"SELECT m._submission_id, '' FROM {ground.rows} m WHERE {bad}", about=column)


def outside_country(ground: Ground) -> Iterator[Rule]:
    """In none of the boxes of its country. A code without a box is not judged."""
    country, columns = ground.country(), _points(ground)
    if not country:
        ground.missing("a question for the country", 'Write country = "column" or give it the concept.')
        return
    margin = ground.settings.number("margin")
    boxes = ", ".join(f"({sql.text(code)}, {w}, {s}, {e}, {n})" for code, w, s, e, n in _boxes(ground))
    land = f"upper(trim(m.{sql.name(country.name)}))"
    for column in columns:
        cell = f"m.{sql.name(column.name)}"
        yield ground.rule(
            f"WITH b(land, west, south, east, north) AS MATERIALIZED (VALUES {boxes}), "
            f"p AS MATERIALIZED (SELECT m._submission_id AS id, {land} AS land, {cell}.lat AS lat, {cell}.lon AS lon "
            f"FROM {ground.rows} m WHERE {_real(cell)}) "
            "SELECT p.id, '' FROM p WHERE p.land IN (SELECT land FROM b) AND NOT EXISTS (SELECT 1 FROM b "
            f"WHERE b.land = p.land AND p.lat >= b.south - {margin} AND p.lat <= b.north + {margin} "
            f"AND p.lon >= b.west - {margin} AND p.lon <= b.east + {margin})",
            about=column,
        )


def clusters(ground: Ground) -> Iterator[Rule]:
    """Several submissions of one enumerator lie within some metres of one another, by the haversine formula.

    Points are sorted into cells whose diagonal is the distance: those of one cell are near one another without being
    compared, and of each cell only as many are compared with its neighbours as are needed to tell.
    """
    who, name = ground.enumerator()
    metres, many = ground.settings.number("metres"), f"{ground.settings.number('submissions'):.0f}"
    side = metres / 2**0.5
    for column in _points(ground):
        cell = f"m.{sql.name(column.name)}"
        cells = {"who": who, "lat": f"{cell}.lat", "lon": f"{cell}.lon", "real": _real(cell)}
        rows = ground.population(ground.main, cells, [name, column.name], [column.name])
        yield ground.rule(
            f"WITH g AS MATERIALIZED (SELECT id, new, who, lat, lon, CAST(floor(lat * {_DEGREE} / {side}) AS BIGINT) "
            f"AS y, CAST(floor(lon * {_DEGREE} * cos(radians(round(lat))) / {side}) AS BIGINT) AS x "
            f"FROM ({rows}) WHERE real AND who IS NOT NULL), "
            "k AS MATERIALIZED (SELECT *, count(*) OVER w AS here, row_number() OVER (w ORDER BY id) AS nth FROM g "
            "WINDOW w AS (PARTITION BY who, y, x)), "
            f"a AS (SELECT id, who, lat, lon, x + i AS x, y + j AS y FROM k, range(-2, 3) AS s(i), "
            f"range(-2, 3) AS u(j) WHERE new AND here < {many}) "
            f"SELECT id, '' FROM k WHERE new AND here >= {many} UNION ALL "
            "SELECT a.id, '' FROM a JOIN k b ON b.who = a.who AND b.x = a.x AND b.y = a.y "
            f"WHERE b.nth <= {many} AND b.id <> a.id AND {_distance()} <= {metres} "
            f"GROUP BY a.id HAVING count(*) + 1 >= {many}",
            about=column,
        )


def _points(ground: Ground) -> Sequence[Column]:
    """The place that the settings name, else every place of the main table."""
    if ground.settings.text("column"):
        return [ground.of_main(ground.settings.text("column"), ("geopoint",))]
    found = [column for column in ground.main.columns if column.kind == "geopoint"]
    if not found:
        ground.missing("a geopoint outside repeats", "Take the rule out for this form.")
    return found


def _real(cell: str) -> str:
    """SQL for whether a point is one of the earth, and not 0, 0."""
    return (
        f"({cell}.lat BETWEEN -90 AND 90 AND {cell}.lon BETWEEN -180 AND 180 AND ({cell}.lat <> 0 OR {cell}.lon <> 0))"
    )


def _distance() -> str:
    """SQL of the metres between `a` and `b`."""
    half = "pow(sin(radians({0} - {1}) / 2), 2)"
    lat, lon = half.format("b.lat", "a.lat"), half.format("b.lon", "a.lon")
    both = f"{lat} + cos(radians(a.lat)) * cos(radians(b.lat)) * {lon}"
    return f"2 * {_RADIUS} * asin(sqrt(least(1, {both})))"


def _boxes(ground: Ground) -> list[_Box]:
    """Those of the settings, and for all other codes those that come with dialogkit."""
    own = ground.settings.values["boxes"]
    told: list[_Box] = [(code.upper(), *(float(edge) for edge in box)) for code, box in own.items()]
    return told + [box for box in _known_boxes() if box[0] not in {code for code, *_ in told}]


@cache
def _known_boxes() -> tuple[_Box, ...]:
    with data_file("country_boxes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return tuple((code, float(w), float(s), float(e), float(n)) for code, w, s, e, n in rows)
