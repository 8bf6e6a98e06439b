"""Points, lines and areas as WKT and GeoJSON, by plain SQL: a snapshot is read without extensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dialogkit import sql
from dialogkit.warehouse.codebook import Asked, Shown

_KINDS: Final = ("geopoint", "geotrace", "geoshape")
#: Kind → beginning and end of the WKT, type in GeoJSON, brackets around its positions, fewest points.
_SHAPES: Final[Mapping[str, tuple[str, str, str, str, str, int]]] = {
    "geotrace": ("LINESTRING(", ")", "LineString", "[", "]", 2),
    "geoshape": ("POLYGON((", "))", "Polygon", "[[", "]]", 4),
}


def geo_view(table: Shown) -> str:
    """The query of `geo.<table>`: keys, `<column>__wkt` and `<column>__geojson`; empty for a table without places.

    NULL where there is no answer, where a coordinate is no number, and where there are too few points for the shape.
    """
    places = table.of_kind(*_KINDS)
    if not places:
        return ""
    keys = [sql.name(name) for name in table.keys]
    shown = [text for place in places for text in (_point(place) if place.kind == "geopoint" else _shape(place))]
    whole = [_closed(place) if place.kind == "geoshape" else sql.name(place.name) for place in places]
    source = f"SELECT {', '.join([*keys, *whole])} FROM {sql.name('accepted', table.name)}"
    return f"SELECT {', '.join([*keys, *shown])} FROM ({source})"


def _point(place: Asked) -> tuple[str, str]:
    point = sql.name(place.name)
    wkt = f"CASE WHEN {_real(point)} THEN 'POINT(' || {_plain(point)} || ')' END"
    geojson = (
        f"CASE WHEN {_real(point)} THEN "
        f"""'{{"type": "Point", "coordinates": ' || {_position(point)} || '}}' END"""
    )
    return _named(place, wkt, geojson)


def _shape(place: Asked) -> tuple[str, str]:
    points = sql.name(place.name)
    begin, end, kind, opening, closing, fewest = _SHAPES[place.kind]
    good = f"len({points}) >= {fewest} AND len(list_filter({points}, lambda p: {_real('p')})) = len({points})"
    plain = f"array_to_string(list_transform({points}, lambda p: {_plain('p')}), ', ')"
    positions = f"array_to_string(list_transform({points}, lambda p: {_position('p')}), ', ')"
    wkt = f"CASE WHEN {good} THEN '{begin}' || {plain} || '{end}' END"
    geojson = (
        f"""CASE WHEN {good} THEN '{{"type": "{kind}", "coordinates": {opening}' """
        f"""|| {positions} || '{closing}}}' END"""
    )
    return _named(place, wkt, geojson)


def _closed(place: Asked) -> str:
    """The ring with its first point at its end too."""
    ring = sql.name(place.name)
    same = f"{ring}[1].lat = {ring}[-1].lat AND {ring}[1].lon = {ring}[-1].lon"
    return f"CASE WHEN {same} THEN {ring} ELSE list_append({ring}, {ring}[1]) END AS {ring}"


def _real(point: str) -> str:
    return f"isfinite({point}.lat) AND isfinite({point}.lon)"


def _plain(point: str) -> str:
    return f"concat({point}.lon, ' ', {point}.lat)"


def _position(point: str) -> str:
    altitude = f"CASE WHEN isfinite({point}.altitude) THEN concat(', ', {point}.altitude) ELSE '' END"
    return f"concat('[', {point}.lon, ', ', {point}.lat, {altitude}, ']')"


def _named(place: Asked, wkt: str, geojson: str) -> tuple[str, str]:
    return f"{wkt} AS {sql.name(place.name + '__wkt')}", f"{geojson} AS {sql.name(place.name + '__geojson')}"
