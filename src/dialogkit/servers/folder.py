"""A folder of submissions that have left their server: instance folders and exports, mirrored like a server."""

from __future__ import annotations

import json
import tempfile
import threading
import weakref
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import IO, Final, cast

from dialogkit.errors import NotOnServer
from dialogkit.model.server import Entry, Fetched, FindForm, Listing, Received
from dialogkit.model.submission import Submission
from dialogkit.servers.folders import central_zip, instances, kobo_json, kobo_xlsx
from dialogkit.servers.folders.raw import Media, Place, Raw
from dialogkit.servers.folders.walk import by_folder_name, walk

_PAGE: Final = 1000
_PIECE: Final = 256 * 1024
_IN_MEMORY: Final = 16 * 1024 * 1024
_READERS: Final[Mapping[str, Callable[[Raw, str, FindForm], Submission]]] = {
    "instance": instances.read,
    "kobo": kobo_json.read,
    "workbook": kobo_xlsx.read,
    "central": central_zip.read,
}
_FILES: Final[Mapping[str, Callable[[Place, Path], Iterator[Raw]]]] = {
    ".json": kobo_json.read_kobo_json,
    ".ndjson": kobo_json.read_kobo_json,
    ".jsonl": kobo_json.read_kobo_json,
    ".xlsx": kobo_xlsx.read_kobo_xlsx,
    ".zip": central_zip.read_central_zip,
    ".csv": central_zip.read_central_csv,
}


@dataclass(frozen=True, slots=True)
class _Kept:
    """A submission of the listing; its data lies in the temporary file."""

    raw: Raw
    at: int
    size: int
    signature: str


@dataclass
class _Shelf:
    """What a look through the folder found for one form; answers stay out of memory."""

    place: Place
    file: IO[bytes] = field(
        default_factory=lambda: cast(IO[bytes], tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - kept open
    )
    kept: dict[str, _Kept] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        weakref.finalize(self, self.file.close)

    def put(self, raw: Raw) -> None:
        """The newest file wins where two tell of one submission.

        Raises:
            UnexpectedReply: SERVER-104, an id that no server gives.
        """
        if not raw.id or not raw.id.isprintable():
            raise self.place.broken(raw.file, "has a submission without a usable id")
        before = self.kept.get(raw.id)
        if before and not before.raw.broken and _age(before.raw) > _age(raw):
            return
        at = self.file.seek(0, 2)
        self.file.write(raw.data)
        self.kept[raw.id] = _Kept(replace(raw, data=b""), at, len(raw.data), raw.signature)

    def raw(self, submission_id: str) -> Raw | None:
        """A submission with its data."""
        found = self.kept.get(submission_id)
        if found is None:
            return None
        with self.lock:
            self.file.seek(found.at)
            return replace(found.raw, data=self.file.read(found.size))


def _age(raw: Raw) -> tuple[float, str]:
    return raw.file.stat().st_mtime, raw.file.as_posix()


class FolderServer:
    """The submissions in a folder. Satisfies `model.server.ListingServer`.

    Args:
        name: as in `dialogkit.toml`; stands in messages.
        path: the folder; it is only read.
        others: other forms of the workspace: what lies in a folder of such a name is theirs.
    """

    group = _PAGE
    #: It tells nothing of what was deleted; what is gone is gone.
    retention_days = 0

    def __init__(self, name: str, path: Path, others: Collection[str] = ()) -> None:
        self.name, self._root, self._others = name, path, frozenset(others)
        self._shelves: dict[str, _Shelf] = {}

    def listing(self, form_id: str, cursor: str) -> Listing:
        """Every submission of the form that the folder has now.

        Raises:
            NotOnServer: SERVER-100 no such folder, SERVER-105 nothing of this form in it.
            UnexpectedReply: SERVER-101…104, SERVER-107, a file cannot be read, or tells nothing of its form.
        """
        del cursor
        shelf = self._shelves[form_id] = self._look(form_id)
        entries = (Entry(key, kept.signature) for key, kept in shelf.kept.items())
        pages = iter(lambda: tuple(islice(entries, _PAGE)), ())
        return Listing(pages)

    def fetch(self, form_id: str, wanted: Sequence[Entry], find_form: FindForm, total: int) -> Fetched:
        """The submissions of some entries. `find_form("")` is the form where a file does not tell its version.

        Raises:
            UnexpectedReply: SERVER-106, the headings of a workbook are labels.
        """
        del total
        shelf = self._shelf(form_id)
        received: list[Received] = []
        unreadable: list[str] = []
        for entry in wanted:
            raw = shelf.raw(entry.id)
            if raw is None:
                continue
            self._refuse_labels(shelf, raw, find_form)
            try:
                submission = None if raw.broken else _storable(_READERS[raw.kind](raw, form_id, find_form))
            except (ValueError, RecursionError):
                submission = None
            if submission is None:
                unreadable.append(entry.id)
            else:
                received.append(Received(replace(submission, signature=entry.signature), raw.data))
        return Fetched(tuple(received), tuple(unreadable))

    def present(self, form_id: str, ids: Sequence[str]) -> set[str]:
        """Which of these submissions the folder has: the listing has read all of it."""
        shelf = self._shelf(form_id)
        return {one for one in ids if shelf.raw(one) is not None}

    def attachment(self, form_id: str, submission: Submission, name: str) -> Iterator[bytes]:
        """The bytes of one attachment, in pieces.

        Raises:
            NotOnServer: SERVER-108, an answer names the file, but the folder does not have it, or not beyond doubt.
        """
        kept = self._shelf(form_id).kept.get(submission.id)
        media = next((one for one in kept.raw.media if one.name == name), None) if kept else None
        try:
            if media is None or media.path is None:
                raise FileNotFoundError
            yield from _pieces(media, media.path)
        except (OSError, KeyError, zipfile.BadZipFile, zlib.error, RuntimeError, EOFError):
            raise NotOnServer(
                "SERVER-108",
                f"{self.name}, submission {submission.id}",
                "A file of the submission is not in the folder, or its name stands there more than once.",
                "Unpack the media of the export into a folder with the id of the submission.",
            ) from None

    def _shelf(self, form_id: str) -> _Shelf:
        if form_id not in self._shelves:
            self._shelves[form_id] = self._look(form_id)
        return self._shelves[form_id]

    def _look(self, form_id: str) -> _Shelf:
        try:
            return self._shelf_of(form_id)
        except OSError as error:
            raise NotOnServer(
                "SERVER-100",
                self.name,
                f"A file of the folder cannot be read, or not be kept for a moment ({error.strerror}).",
                "Check the rights on it, the space on this disk, and that nobody is changing the folder; pull again.",
            ) from None

    def _shelf_of(self, form_id: str) -> _Shelf:
        folders = walk(self.name, self._root)
        others = self._others - {form_id}
        place = Place(self.name, self._root, form_id, folders, by_folder_name(folders), others)
        shelf = _Shelf(place)
        editions: list[Raw] = []
        for folder, files in folders.items():
            found, used = instances.read_instances(place, folder)
            editions += found
            for raw in self._exported(place, [file for file in files if file not in used]):
                shelf.put(raw)
        for raw in instances.resolved(editions):
            shelf.put(raw)
        if not shelf.kept:
            raise NotOnServer(
                "SERVER-105",
                f"{self.name}, {form_id}",
                "The folder has no submission of this form. Nothing was changed.",
                "Check `path` in dialogkit.toml. An export whose file does not name the form belongs into a folder "
                f"named {form_id}.",
            )
        return shelf

    def _exported(self, place: Place, files: Iterable[Path]) -> Iterator[Raw]:
        for file in files:
            reader = _FILES.get(file.suffix.lower())
            if reader is not None:
                yield from reader(place, file)

    def _refuse_labels(self, shelf: _Shelf, raw: Raw, find_form: FindForm) -> None:
        form = find_form("") if raw.kind == "workbook" else None
        if form and (refused := kobo_xlsx.labels(shelf.place, raw.file, kobo_xlsx.headings_in(raw), form)):
            raise refused


def _storable(submission: Submission) -> Submission:
    """Half a character, which only an escape in JSON can hold, would stop a file from being written."""
    json.dumps(submission.to_json(), ensure_ascii=False).encode()
    return submission


def _pieces(media: Media, path: Path) -> Iterator[bytes]:
    if not media.member:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
        return
    with zipfile.ZipFile(path) as archive, archive.open(media.member) as member:
        while piece := member.read(_PIECE):
            yield piece
