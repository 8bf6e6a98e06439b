"""One submission as rows of OData, with all that OData does to values."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote
from xml.etree.ElementTree import Element

from .definition import Definition, Field
from .records import Submission
from .texts import element_of, pieces

_INTEGER: Final = re.compile(r"\s*([+-]?\d+)")
_DECIMAL: Final = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
_SHORT_OFFSET: Final = re.compile(r"[+-]\d\d$")

Bag = dict[str, Any]


@dataclass
class Rows:
    """The root row, and the rows of each repeat by the name of its table."""

    root: Bag
    tables: dict[str, list[Bag]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Place:
    """Where a row is: its address in OData, its id, its table, and the key under which its children name it."""

    address: str
    id: str
    table: str
    parent_key: str


def system_json(each: Submission) -> Bag:
    """What Central itself knows of a submission."""
    sender = each.first.submitter
    return {
        "submissionDate": each.created_at,
        "updatedAt": each.updated_at,
        "submitterId": str(sender.id) if sender else None,
        "submitterName": sender.name if sender else None,
        "attachmentsPresent": sum(blob is not None for blob in each.attachments.values()),
        "attachmentsExpected": len(each.attachments),
        "status": each.status,
        "reviewState": each.review,
        "deviceId": each.first.device,
        "edits": len(each.versions) - 1,
        "formVersion": each.first.form.definition.version,
        "deletedAt": each.deleted_at,
    }


def rows_of(definition: Definition, each: Submission, *, expand: bool, wkt: bool) -> Rows:
    """The rows of a submission. An encrypted one has no answers and no rows of repeats."""
    named = {"__id": each.id, "__system": system_json(each)}
    if each.current.sealed:
        return Rows(named)
    rows = Rows(_blank(definition.root))
    rows.root |= named
    address = f"Submissions('{quote(each.id, safe='!~*()')}')"
    place = _Place(address, each.id, "Submissions", "__Submissions-id")
    _Filler(rows, expand=expand, wkt=wkt).fill(definition.root, element_of(each.current.xml), rows.root, place)
    return rows


class _Filler:
    def __init__(self, rows: Rows, *, expand: bool, wkt: bool) -> None:
        self._rows = rows
        self._expand = expand
        self._wkt = wkt

    def fill(self, section: Field, element: Element, bag: Bag, place: _Place) -> None:
        counts: dict[str, int] = {}
        for child in element:
            known = section.children.get(child.tag.rpartition("}")[2])
            if known is None:
                continue
            if known.type == "repeat":
                count = counts[known.name] = counts.get(known.name, 0) + 1
                self._add_row(known, child, bag, (place, count))
            elif known.children:
                self.fill(known, child, bag[known.key], _inside(place, known))
            else:
                for text in pieces(child):
                    bag[known.key] = _value(known, text, bag[known.key], wkt=self._wkt)

    def _add_row(self, repeat: Field, element: Element, bag: Bag, where: tuple[_Place, int]) -> None:
        place, count = where
        address = f"{place.address}/{repeat.key}"
        row_id = hashlib.sha1(f"{place.id}/{'/'.join(repeat.path)}[{count}]".encode()).hexdigest()
        table = f"{place.table}.{repeat.key}"
        row = _blank(repeat) | {"__id": row_id}
        below = _Place(f"{address}('{row_id}')", row_id, table, f"__{table.replace('.', '-')}-id")
        bag[f"{repeat.key}@odata.navigationLink"] = address
        if self._expand:
            bag.setdefault(repeat.key, []).append(row)
        else:
            row[place.parent_key] = place.id
        self._rows.tables.setdefault(table, []).append(row)
        self.fill(repeat, element, row, below)


def _inside(place: _Place, section: Field) -> _Place:
    return _Place(f"{place.address}/{section.key}", place.id, f"{place.table}.{section.key}", place.parent_key)


def _blank(section: Field) -> Bag:
    """All fields as null, sections open; repeats appear when they have rows."""
    return {
        child.key: _blank(child) if child.children else None
        for child in section.children.values()
        if child.type != "repeat"
    }


def _value(known: Field, text: str, before: Any, *, wkt: bool) -> Any:
    if known.type == "int":
        found = _INTEGER.match(text)
        return _number(float(found.group(1))) if found else None
    if known.type == "decimal":
        return _decimal(text)
    if known.type == "geopoint":
        return _point(text, wkt=wkt)
    if known.type in {"geotrace", "geoshape"}:
        return _line(known.type, text, wkt=wkt)
    if known.type == "dateTime":
        clean = text.strip()
        return f"{clean}:00" if _SHORT_OFFSET.search(clean) else clean
    return (before or "") + text


def _number(value: float) -> int | float:
    """As JavaScript writes it: the shortest digits that give this double."""
    return int(Decimal(repr(value))) if value.is_integer() and abs(value) < 1e21 else value


def _decimal(text: str) -> int | float | None:
    found = _DECIMAL.match(text)
    return _number(float(found.group(1))) if found else None


def _numbers(text: str) -> list[int | float | None]:
    return [_decimal(part) for part in text.split()]


def _point(text: str, *, wkt: bool) -> Any:
    # A blank in front counts as an empty number.
    numbers = [_decimal(part) for part in re.split(r"\s+", text)]
    lat, lon, altitude, accuracy = [*numbers, None, None, None, None][:4]
    if lat is None or lon is None:
        return None
    coordinates = [lon, lat] if altitude is None else [lon, lat, altitude]
    if wkt:
        return f"POINT ({' '.join(map(str, coordinates))})"
    shown: Bag = {"type": "Point", "coordinates": coordinates}
    return shown if accuracy is None else {**shown, "properties": {"accuracy": accuracy}}


def _line(kind: str, text: str, *, wkt: bool) -> Any:
    points = [[*_numbers(each), None, None, None, None][:4] for each in text.split(";")]
    points = [each for each in points if each[0] is not None and each[1] is not None]
    if not points:
        return None
    coordinates = [[each[1], each[0], *each[2:3]] if each[2] is not None else [each[1], each[0]] for each in points]
    if wkt:
        listed = ",".join(" ".join(map(str, each)) for each in coordinates)
        return f"LINESTRING ({listed})" if kind == "geotrace" else f"POLYGON (({listed}))"
    accuracies = [each[3] or None for each in points]
    if kind == "geotrace":
        shown: Bag = {"type": "LineString", "coordinates": coordinates}
    else:
        shown = {"type": "Polygon", "coordinates": [coordinates]}
    return {**shown, "properties": {"accuracies": accuracies}} if any(accuracies) else shown
