"""A submission as lines of CSV: the columns of each table, and text as it was typed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from xml.etree.ElementTree import Element

from .definition import Field
from .odata_rows import system_json
from .records import Edition, Form, Submission
from .texts import element_of, pieces

Path = tuple[str, ...]
_QUOTED: Final = re.compile('[,"\n]')
_GEO: Final = ("Latitude", "Longitude", "Altitude", "Accuracy")
_AFTER: Final = (
    "KEY",
    "SubmitterID",
    "SubmitterName",
    "AttachmentsPresent",
    "AttachmentsExpected",
    "Status",
    "ReviewState",
    "DeviceID",
    "Edits",
    "FormVersion",
)
_SYSTEM: Final = ("submitterId", "submitterName", "attachmentsPresent", "attachmentsExpected", "status")
_REST: Final = ("reviewState", "deviceId", "edits", "formVersion")
_STATUS: Final = {"notDecrypted": "not decrypted", "missingEncryptedFormData": "missing encrypted form data"}


@dataclass(frozen=True)
class Options:
    """How an export is wanted. `values`: of each select_multiple, where they get columns of their own."""

    deleted_fields: bool = False
    group_paths: bool = True
    values: tuple[tuple[Path, tuple[str, ...]], ...] = ()


@dataclass
class Lines:
    """The lines of one submission: of the root table, and of each repeat by its path."""

    root: str
    repeats: dict[Path, str] = field(default_factory=dict)


class Layout:
    """The tables of a form with their columns."""

    def __init__(self, form: Form, edition: Edition, options: Options) -> None:
        self.top = merged(form, edition) if options.deleted_fields else edition.definition.root
        self.options = options
        self.key = ("csv", edition.number, options.deleted_fields, options.values)
        self.values = dict(options.values)
        self.repeats = [each for each in self.top.walk() if each.type == "repeat"]

    def header(self, table: Field) -> str:
        names = ["SubmissionDate"] if table is self.top else []
        for each in _columns(table):
            base = "-".join(each.path[len(table.path) :]) if self.options.group_paths else each.name
            if each.type == "geopoint":
                names += [f"{base}-{part}" for part in _GEO]
            else:
                names += [base, *(f"{base}/{value}" for value in self.values.get(each.path, ()))]
        return line([*names, *(_AFTER if table is self.top else ("PARENT_KEY", "KEY"))])

    def lines(self, each: Submission) -> Lines:
        """The lines of a submission that is in the clear; made once and kept until it changes."""
        known: Lines | None = each.cache.get(self.key)
        if known is None:
            known = each.cache[self.key] = self.lines_of(each, each.current.xml)
        return known

    def lines_of(self, each: Submission, xml: bytes) -> Lines:
        made = Lines("")
        made.root = self._root(each, self._cells(self.top, element_of(xml), each.id, made.repeats), None)
        return made

    def closed(self, each: Submission) -> Lines:
        """The lines of a submission whose answers cannot be read."""
        blank = [""] * sum(self._width(column) for column in _columns(self.top))
        return Lines(self._root(each, blank, _STATUS[each.status or "notDecrypted"]))

    def _root(self, each: Submission, cells: Sequence[Any], status: str | None) -> str:
        system = {**system_json(each), "status": status}
        before, after = (each.created_at,), (each.id, *(system[name] for name in (*_SYSTEM, *_REST)))
        return line([*before, *cells, *after])

    def _cells(self, table: Field, element: Element, key: str, repeats: dict[Path, str]) -> list[str]:
        found: dict[Path, str] = {}
        self._gather(table, element, (key, key), (found, repeats))
        return [cell for column in _columns(table) for cell in self._spread(column, found.get(column.path, ""))]

    def _gather(
        self, section: Field, element: Element, keys: tuple[str, str], into: tuple[dict[Path, str], dict[Path, str]]
    ) -> None:
        """Collect text and lines; `keys`: of this place, and of the row that it belongs to."""
        (key, row), (found, repeats) = keys, into
        counts: dict[str, int] = {}
        for child in element:
            known = section.children.get(child.tag.rpartition("}")[2])
            if known is None:
                continue
            if known.type == "repeat":
                count = counts[known.name] = counts.get(known.name, 0) + 1
                below = f"{key}/{known.name}[{count}]"
                cells = self._cells(known, child, below, repeats)
                repeats[known.path] = repeats.get(known.path, "") + line([*cells, row, below])
            elif known.children:
                self._gather(known, child, (f"{key}/{known.name}", row), into)
            else:
                for text in pieces(child):
                    # Seen: of a point only the last piece stays.
                    before = "" if known.type == "geopoint" else found.get(known.path, "")
                    found[known.path] = before + text

    def _spread(self, column: Field, text: str) -> Iterator[str]:
        if column.type == "geopoint":
            # A blank in front leaves an empty cell there, and what stands after the fourth is lost.
            yield from [*re.split(r"\s+", text), "", "", "", ""][:4]
            return
        yield text
        chosen = text.split()
        for value in self.values.get(column.path, ()):
            yield "1" if value in chosen else "0"

    def _width(self, column: Field) -> int:
        return 4 if column.type == "geopoint" else 1 + len(self.values.get(column.path, ()))


def merged(form: Form, edition: Edition) -> Field:
    """The fields of an edition, and after them those that only earlier ones had."""
    top = edition.definition.root
    for earlier in reversed(form.published):
        top = _joined(top, earlier.definition.root)
    return top


def line(cells: Sequence[Any]) -> str:
    return ",".join(_cell(cell) for cell in cells) + "\n"


def _cell(value: Any) -> str:
    """Not as Python's csv writes: the real one does not quote a carriage return."""
    text = "" if value is None else str(value)
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def _joined(one: Field, other: Field) -> Field:
    children = dict(one.children)
    for name, child in other.children.items():
        children[name] = _joined(children[name], child) if name in children else child
    return Field(one.path, one.type, one.multiple, children)


def _columns(table: Field) -> Iterator[Field]:
    """The fields of a table itself, not those of repeats inside it."""
    for child in table.children.values():
        if child.type == "structure":
            yield from _columns(child)
        elif child.type != "repeat":
            yield child
