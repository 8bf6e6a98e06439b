"""The media files that expressions read: CSV, GeoJSON and XML → rows by column, as JavaRosa reads them.

Sources: JavaRosa 5.1, `CsvExternalInstance`, `GeoJsonExternalInstance`, `XmlExternalInstance`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element

from dialogkit import xml
from dialogkit.errors import FormError

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_ROWS: Final = 1_000_000
_SEPARATORS: Final = (";", ",", "\t")
#: A row by column: of a media file, and of a choice list too.
Entry = Mapping[str, str]


def media_rows(files: Mapping[str, Path]) -> Mapping[str, Sequence[Entry]]:
    """The rows of every file that expressions can read, by its name; pictures and sounds are left out.

    Args:
        files: of the form, as in `BuiltForm.media`.

    Raises:
        FormError: FORM-062 one of them cannot be read.
    """
    found: dict[str, Sequence[Entry]] = {}
    for name, path in files.items():
        if Path(name).suffix.lower() in _READERS:
            found[name] = read_media(name, _bytes(name, path))
    return found


def read_media(name: str, data: bytes) -> Sequence[Entry]:
    """The rows of one file.

    Args:
        name: its name, whose ending says what it is: `.csv`, `.geojson` or `.xml`.
        data: what is in it.

    Raises:
        FormError: FORM-062 it is too large, damaged, or not what its name says.
    """
    if len(data) > MAX_BYTES:
        raise _refused(name, f"is larger than {MAX_BYTES // (1024 * 1024)} MB")
    try:
        return _READERS[Path(name).suffix.lower()](data)
    except (UnicodeDecodeError, csv.Error, ValueError, RecursionError) as problem:
        raise _refused(name, _why(problem)) from None


def _why(problem: Exception) -> str:
    """What is wrong, without quoting the file."""
    if isinstance(problem, (_Damaged, xml.UnsafeXml)):
        return str(problem)
    return "is not in UTF-8" if isinstance(problem, UnicodeDecodeError) else "is damaged"


class _Damaged(ValueError):  # noqa: N818 - named by what it is
    """The file is not what its name says; the text says how."""


def _refused(name: str, why: str) -> FormError:
    return FormError(
        "FORM-062",
        f"media file {name}",
        f"It {why}.",
        "Save the file anew as the form needs it, and build the form again.",
    )


def _bytes(name: str, path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _refused(name, f"is larger than {MAX_BYTES // (1024 * 1024)} MB")
        return path.read_bytes()
    except OSError:
        raise _refused(name, "cannot be read") from None


def _csv(data: bytes) -> list[Entry]:
    """Rows under the columns of the first line; the separator is the first of `;`, `,` and tab that stands there."""
    text = data.decode("utf-8-sig")
    first = text.partition("\n")[0]
    separator = next((sign for sign in _SEPARATORS if sign in first), ",")
    csv.field_size_limit(MAX_BYTES)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    header = next(lines, None)
    if not header:
        raise _Damaged("has no line of columns")
    rows: list[Entry] = []
    for line in lines:
        if line:
            rows.append({column: line[at] if at < len(line) else "" for at, column in enumerate(header)})
            _limit(rows)
    return rows


def _limit(rows: Sequence[Entry]) -> None:
    if len(rows) > MAX_ROWS:
        raise _Damaged(f"has more than {MAX_ROWS} rows")


def _geojson(data: bytes) -> list[Entry]:
    """A row for each feature: its properties, its `id` and its `geometry` as a place, a line or an area."""
    found = json.loads(data.decode("utf-8-sig"))
    features = found.get("features") if isinstance(found, dict) else None
    if not isinstance(features, list) or found.get("type") != "FeatureCollection":
        raise _Damaged("is not a FeatureCollection")
    return [_feature(one) for one in features]


def _feature(feature: Any) -> Entry:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise _Damaged("holds something that is no Feature")
    row = {"geometry": _geometry(feature.get("geometry"))}
    properties = feature.get("properties")
    for name, value in (properties if isinstance(properties, dict) else {}).items():
        row[name] = _plain(value)
    if feature.get("id") is not None:
        row["id"] = _plain(feature["id"])
    return row


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _geometry(geometry: Any) -> str:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    places = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if not isinstance(places, list) or kind not in ("Point", "LineString", "Polygon"):
        raise _Damaged("holds a geometry that is no Point, LineString or Polygon")
    if kind == "Point":
        places = [places]
    elif kind == "Polygon":
        places = places[0] if places else []
    return "; ".join(_place(place) for place in places)


def _place(place: Any) -> str:
    if not isinstance(place, list) or len(place) < 2:
        raise _Damaged("holds a place without its two numbers")
    return f"{_plain(place[1])} {_plain(place[0])} 0 0"


def _xml(data: bytes) -> list[Entry]:
    """A row for each `item` below the root, with its children as columns."""
    root = xml.parse(data, max_bytes=MAX_BYTES)
    return [dict(_columns(item)) for item in root if xml.local(item) == "item"]


def _columns(item: Element) -> Iterator[tuple[str, str]]:
    for child in item:
        yield xml.local(child), (child.text or "").strip()


_READERS: Final = {".csv": _csv, ".geojson": _geojson, ".xml": _xml}
