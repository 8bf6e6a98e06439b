"""Submissions of one form in memory: a record with its cached JSON, found by number, uuid or root uuid."""

from __future__ import annotations

import mimetypes
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from tests.lookalikes.kobo.marks import uid

#: Kobo shows these three sizes of an image beside the file itself.
_SIZES = ("large", "medium", "small")


@dataclass
class Attached:
    """A file of a submission. Deleting one leaves its entry, with `is_deleted`."""

    name: str
    content: bytes
    mimetype: str = ""
    uid: str = ""
    deleted: bool = False

    def __post_init__(self) -> None:
        self.uid = self.uid or uid("att")
        self.mimetype = self.mimetype or mimetypes.guess_type(self.name)[0] or "application/octet-stream"


class Home(NamedTuple):
    """Where a submission lives: what stands in its links."""

    asset: str
    owner: str
    formhub: str


@dataclass(slots=True)
class Row:
    """One submission as it now reads."""

    number: int
    answers: dict[str, Any]
    uuid: str
    root: str
    form: str
    by: str | None
    submitted: str
    place: list[float | None]
    home: Home
    xml: bytes | None = None
    status: dict[str, Any] = field(default_factory=dict)
    files: list[Attached] = field(default_factory=list)
    earlier: set[str] = field(default_factory=set)
    _whole: bytes | None = None
    _short: tuple[tuple[str, ...], bytes] | None = None

    def changed(self) -> None:
        """Forget the JSON that was kept."""
        self._whole = self._short = None

    def shown(self, base: str) -> dict[str, Any]:
        """The record as the data listing has it."""
        return {
            "_id": self.number,
            **self.answers,
            "_xform_id_string": self.form,
            "_uuid": self.uuid,
            "meta/rootUuid": f"uuid:{self.root}",
            "_attachments": [self._file(base, one) for one in self.files],
            "_status": "submitted_via_web",
            "_geolocation": self.place,
            "_submission_time": self.submitted,
            "_validation_status": self.status,
            "_submitted_by": self.by,
        }

    def value(self, key: str) -> Any:
        """What the database has under `key`; a dot goes into `_validation_status`."""
        if key.startswith("_validation_status."):
            return self.status.get(key.partition(".")[2])
        if key == "_id":
            return self.number
        if key in self.answers:
            return self.answers[key]
        return self.shown("").get(key)

    def json(self, base: str, fields: tuple[str, ...] | None) -> bytes:
        """The JSON of the record, or of some of its fields; kept until something changes."""
        if fields is None:
            if self._whole is None:
                self._whole = orjson.dumps(self.shown(base))
            return self._whole
        if self._short is None or self._short[0] != fields:
            self._short = (fields, orjson.dumps(self._some(base, fields)))
        return self._short[1]

    def _some(self, base: str, fields: tuple[str, ...]) -> dict[str, Any]:
        whole = self.shown(base)
        some = {name: whole[name] for name in fields if name in whole and name != "_id"}
        some.update(_uuid=whole["_uuid"], **{"meta/rootUuid": whole["meta/rootUuid"]})
        # Seen: a status that was not asked for is there, and always empty.
        some.setdefault("_validation_status", {})
        return {**some, "_id": self.number}

    def _file(self, base: str, one: Attached) -> dict[str, Any]:
        url = f"{base}/api/v2/assets/{self.home.asset}/data/{self.number}/attachments/{one.uid}/"
        shown: dict[str, Any] = {
            "download_url": url,
            "mimetype": one.mimetype,
            "filename": f"{self.home.owner}/attachments/{self.home.formhub}/{self.root}/{one.name.replace(' ', '_')}",
            "media_file_basename": one.name,
            "uid": one.uid,
            "is_deleted": one.deleted,
        }
        if one.mimetype.startswith("image/"):
            shown.update({f"download_{size}_url": f"{url}{size}/" for size in _SIZES})
        shown["question_xpath"] = next((path for path, text in leaves(self.answers) if text == one.name), "")
        return shown


def leaves(answers: dict[str, Any], above: str = "", at: str = "") -> Iterator[tuple[str, str]]:
    """Each answer that is a text, with its place: `person[1]/pphoto`. Those of `meta` are no questions."""
    for key, value in answers.items():
        name = key.removeprefix(above)
        if isinstance(value, list):
            for index, entry in enumerate(value, 1):
                if isinstance(entry, dict):
                    yield from leaves(entry, key + "/", f"{at}{name}[{index}]/")
        elif isinstance(value, str) and not key.startswith("meta/") and key != "encryptedXmlFile":
            yield at + name, value


class Rows:
    """The submissions of one form, in the order of their numbers."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.by_number: dict[int, Row] = {}
        self.by_uuid: dict[str, Row] = {}

    def __len__(self) -> int:
        return len(self.numbers)

    def add(self, row: Row) -> None:
        if self.numbers and row.number < self.numbers[-1]:
            insort(self.numbers, row.number)
        else:
            self.numbers.append(row.number)
        self.by_number[row.number] = row
        self.by_uuid[row.uuid] = self.by_uuid[row.root] = row

    def remove(self, row: Row) -> None:
        del self.numbers[bisect_left(self.numbers, row.number)]
        del self.by_number[row.number]
        for name in {row.uuid, row.root, *row.earlier}:
            self.by_uuid.pop(name, None)

    def replace_uuid(self, row: Row, fresh: str) -> None:
        """The submission has a new edition; the old one's uuid still leads to it."""
        row.earlier.add(row.uuid)
        row.uuid = fresh
        self.by_uuid[fresh] = row

    def between(self, low: tuple[int, bool] | None, high: tuple[int, bool] | None) -> list[int]:
        """The numbers in a range; the flag says whether the bound itself belongs to it."""
        begin = 0
        if low is not None:
            begin = (bisect_left if low[1] else bisect_right)(self.numbers, low[0])
        end = len(self.numbers)
        if high is not None:
            end = (bisect_right if high[1] else bisect_left)(self.numbers, high[0])
        return self.numbers[begin:end]
