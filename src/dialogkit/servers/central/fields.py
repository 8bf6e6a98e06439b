"""Where each question of all versions of a form stands in Central's CSV files, and whether that can be told at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from dialogkit.servers.central.session import CentralSession, quoted
from dialogkit.servers.http import CONNECTIONS

#: Identifiers that stand in the submission itself.
INSTANCE_ID: Final = "meta/instanceID"
ENVELOPE: Final = frozenset({INSTANCE_ID, "meta/deprecatedID", "meta/rootUuid"})
#: What the main file has beside the questions: one column before them, these after.
FIRST: Final = "SubmissionDate"
LAST: Final = (
    "KEY", "SubmitterID", "SubmitterName", "AttachmentsPresent", "AttachmentsExpected",
    "Status", "ReviewState", "DeviceID", "Edits", "FormVersion",
)  # fmt: skip
#: What the file of a repeat has after its questions.
LAST_OF_REPEAT: Final = ("PARENT_KEY", "KEY")
_PARTS: Final = ("-Latitude", "-Longitude", "-Altitude", "-Accuracy")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which cells of a row are whose answers.

    Args:
        plain: index and path.
        points: index of the first of four cells, and path.
    """

    plain: tuple[tuple[int, str], ...]
    points: tuple[tuple[int, str], ...]


@dataclass
class CsvTable:
    """The main table (`path` is empty) or a repeat, with the heading of each of its questions.

    A question that was a point in one version and a text in another has both kinds of headings.
    """

    path: str
    parent: str = ""
    text: dict[str, str] = field(default_factory=dict)
    points: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def below(self) -> str:
        """What the key of a row has between the key of its parent and its number."""
        return f"/{self.path[len(self.parent) + 1 if self.parent else 0 :]}["

    def columns(self, headings: Sequence[str]) -> Columns | None:
        """The columns behind these headings; None unless each is known, whole, and all questions are there."""
        plain: list[tuple[int, str]] = []
        points: list[tuple[int, str]] = []
        at = 0
        while at < len(headings):
            base = headings[at].removesuffix(_PARTS[0])
            if tuple(headings[at : at + 4]) == tuple(base + part for part in _PARTS) and base in self.points:
                points.append((at, self.points[base]))
                at += 4
            elif headings[at] in self.text:
                plain.append((at, self.text[headings[at]]))
                at += 1
            else:
                return None
        paths = [path for _, path in (*plain, *points)]
        if len(set(paths)) != len(paths) or set(paths) != {*self.text.values(), *self.points.values()}:
            return None
        return Columns(tuple(one for one in plain if one[1] not in ENVELOPE), tuple(points))


@dataclass(frozen=True, slots=True)
class Shape:
    """The tables of a form, parents before children."""

    tables: Mapping[str, CsvTable]

    @property
    def repeats(self) -> tuple[str, ...]:
        """Paths of the repeats."""
        return tuple(path for path in self.tables if path)


class _AmbiguousError(ValueError):
    pass


def shape_of(versions: Iterable[Sequence[Mapping[str, Any]]]) -> Shape | None:
    """The tables of a form from the fields of all its versions; None when a heading could mean two questions."""
    try:
        kinds = _kinds(versions)
        tables = {"": CsvTable("")}
        for path in sorted(path for path, types in kinds.items() if "repeat" in types):
            tables[path] = CsvTable(path, _table_of(path, tables))
        for path, types in kinds.items():
            if not types & {"repeat", "structure"}:
                _add(tables[_table_of(path, tables)], path, types)
    except _AmbiguousError:
        return None
    return Shape(tables)


def read_shape(session: CentralSession, remote_id: str) -> Shape | None:
    """The tables of a form on the server, removed questions of earlier versions too; None as in `shape_of`.

    Raises:
        ServerError: no connection, refused, or an answer of another shape.
    """
    versions = session.records(session.get(session.form(remote_id, "/versions")))

    def fields(version: Mapping[str, Any]) -> list[dict[str, Any]]:
        # Central's own way to name the version without a name.
        name = quoted(str(version.get("version") or "") or "___")
        return session.records(session.get(session.form(remote_id, f"/versions/{name}/fields")))

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return shape_of(pool.map(fields, versions))


def _kinds(versions: Iterable[Sequence[Mapping[str, Any]]]) -> dict[str, set[str]]:
    kinds: dict[str, set[str]] = {}
    for fields in versions:
        for one in fields:
            path, kind = one.get("path"), one.get("type")
            if not isinstance(path, str) or not path.startswith("/") or not isinstance(kind, str):
                raise _AmbiguousError
            kinds.setdefault(path[1:], set()).add(kind)
    for types in kinds.values():
        if len(types) > 1 and types & {"repeat", "structure"}:
            raise _AmbiguousError
    return kinds


def _table_of(path: str, tables: Mapping[str, CsvTable]) -> str:
    """The innermost repeat above a path."""
    while path:
        path = path.rpartition("/")[0]
        if path in tables:
            return path
    return ""


def _add(table: CsvTable, path: str, types: set[str]) -> None:
    below = path[len(table.path) + 1 if table.path else 0 :].replace("/", "-")
    taken = {*table.text, *(base + part for base in table.points for part in _PARTS)}
    as_points = {below + part for part in _PARTS} if "geopoint" in types else set()
    as_text = {below} if types - {"geopoint"} else set()
    if taken & (as_points | as_text):
        raise _AmbiguousError
    if as_points:
        table.points[below] = path
    if as_text:
        table.text[below] = path
