"""Fetches submissions of one form: by csv.zip where that is lossless, else each by its XML, which is the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import IO, Final, TypeVar

from dialogkit import xml
from dialogkit.instance import Instance, plain_version, read_instance
from dialogkit.model.server import Entry, Fetched, FindForm, Received
from dialogkit.model.submission import DAMAGED, NO_KEY, WRONG_KEY, Attachment, Submission
from dialogkit.servers.central.archive import Archives, CutOffError, sent_between
from dialogkit.servers.central.csvzip import CsvRow, NotLosslessError, TooLargeError, read_rows
from dialogkit.servers.central.fields import Shape, read_shape
from dialogkit.servers.central.listing import Signed, any_of, can_filter
from dialogkit.servers.central.odata import REVIEW_WORDS
from dialogkit.servers.central.records import Known, Records, in_a_path
from dialogkit.servers.central.session import CentralSession
from dialogkit.servers.http import CONNECTIONS

#: Submissions in one archive: the next ones come while one is read.
CHUNK: Final = 1000
#: So many rows that nobody asked for are still cheaper than a list of ids for each that somebody did.
_WASTE: Final = 3
_AHEAD: Final = 2
_SMALL: Final = 30
ENCRYPTED_ENDING: Final = ".enc"
ENCRYPTED_ANSWERS: Final = "submission.xml.enc"
_Done = TypeVar("_Done")


@dataclass
class _Found:
    """What one fetch has brought so far."""

    received: dict[str, Received] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)


class FormFetcher:
    """Fetches the submissions of one form.

    Args:
        session: signed in.
        form_id: our name of the form.
        remote_id: the server's.
        archives: its csv.zip.
    """

    def __init__(self, session: CentralSession, form_id: str, remote_id: str, archives: Archives) -> None:
        self._session, self._form_id, self._remote_id, self._archives = session, form_id, remote_id, archives
        self._records = Records(session, remote_id)

    def fetch(self, wanted: Sequence[Entry], find_form: FindForm, total: int) -> Fetched:
        """See `model.server.ListingServer.fetch`.

        Raises:
            ServerError: no connection, refused, or not what Central answers.
        """
        found = _Found()
        rows = self._rows(wanted, total)
        left = []
        for entry in wanted:
            row = rows.get(entry.id)
            if row is not None and row.edits == "0" and self._is_good(row):
                found.received[entry.id] = self._from_csv(entry, row)
            else:
                left.append(entry)
        self._read_singly(left, rows, find_form, found)
        self._add_files(wanted, found)
        return Fetched(
            tuple(found.received[one.id] for one in wanted if one.id in found.received), tuple(found.unreadable)
        )

    @cached_property
    def _shape(self) -> Shape | None:
        return read_shape(self._session, self._remote_id)

    def _is_good(self, row: CsvRow) -> bool:
        # Opened with the wrong bytes, it is an empty row rather than none.
        opened = not self._archives.opens or row.instance_id == row.id
        return opened and not row.status and not row.doubtful

    def _rows(self, wanted: Sequence[Entry], total: int) -> dict[str, CsvRow | None]:
        """Id → row of the archive; None for one that the server cannot open."""
        # Of a submission that was edited, the archive names the version of the first edition.
        asked = [one for one in wanted if self._archives.opens or not Signed.read(one.signature).edited]
        if self._shape is None or not asked:
            return {}
        in_a_range = total <= _WASTE * len(asked) + _SMALL
        if not in_a_range:
            asked = [one for one in asked if can_filter(one.id)]
        size = CHUNK if in_a_range else _SMALL
        chunks = [asked[start : start + size] for start in range(0, len(asked), size)]
        rows: dict[str, CsvRow | None] = {}
        with ThreadPoolExecutor(_AHEAD) as pool:
            archives = _ahead(pool, self._archive, chunks)
            for chunk, archive in zip(chunks, archives, strict=True):
                self._take(chunk, archive, rows)
        return rows

    def _archive(self, chunk: Sequence[Entry]) -> IO[bytes] | None:
        """None when the server cannot open one of them."""
        # Of one moment there may be many: a range of few would bring, or meet, an odd one that is not asked for.
        named = len(chunk) <= _SMALL and all(can_filter(one.id) for one in chunk)
        try:
            return self._archives.fetch(_ids(chunk) if named else _range(chunk), alone=len(chunk) == 1)
        except CutOffError:
            return None

    def _take(self, chunk: Sequence[Entry], archive: IO[bytes] | None, rows: dict[str, CsvRow | None]) -> None:
        """Read one archive; where it is in doubt or cut off, its halves again, down to those that XML must tell."""
        if archive is None:
            if len(chunk) == 1:
                rows[chunk[0].id] = None
            else:
                self._take_halves(chunk, rows)
            return
        wanted = {one.id for one in chunk}
        if self._shape is None:
            return
        try:
            with archive:
                read = {row.id: row for row in read_rows(archive, self._shape, wanted)}
        except TooLargeError:
            raise self._archives.too_large() from None
        except NotLosslessError as error:
            # An encrypted submission can be read in no other way.
            if not error.hopeless and len(chunk) > (1 if self._archives.opens else _SMALL):
                self._take_halves(chunk, rows)
            return
        rows.update(read)

    def _take_halves(self, chunk: Sequence[Entry], rows: dict[str, CsvRow | None]) -> None:
        middle = len(chunk) // 2
        for half in (chunk[:middle], chunk[middle:]):
            self._take(half, self._archive(half), rows)

    def _from_csv(self, entry: Entry, row: CsvRow) -> Received:
        return Received(
            Submission(
                id=entry.id,
                instance_id=entry.id,
                form_id=self._form_id,
                form_version=plain_version(row.form_version),
                submitted_at=row.submitted_at,
                submitter=row.submitter,
                review_state=self._review(row.review),
                answers=row.answers,
                signature=entry.signature,
            ),
            row.body,
        )

    def _review(self, word: str) -> str:
        if word not in REVIEW_WORDS:
            raise self._session.unexpected("SERVER-064", "A submission has a review state that Central does not have.")
        return REVIEW_WORDS[word]

    def _read_singly(
        self, left: Sequence[Entry], rows: Mapping[str, CsvRow | None], find_form: FindForm, found: _Found
    ) -> None:
        found.unreadable += [one.id for one in left if not in_a_path(one.id)]
        known = self._records.known([one.id for one in left if in_a_path(one.id)])
        # What the server does not know any more has gone since it was listed.
        there = [one for one in left if one.id in known]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            for entry, body in zip(there, pool.map(lambda one: self._records.xml(one.id), there), strict=True):
                if body is None:
                    continue
                instance = self._instance(body, find_form)
                if instance is None:
                    found.unreadable.append(entry.id)
                    continue
                received = self._from_xml(entry, known[entry.id], instance, body)
                found.received[entry.id] = self._opened(received, instance, rows)

    def _instance(self, body: bytes, find_form: FindForm) -> Instance | None:
        try:
            instance = read_instance(body)
            if instance.form_id != self._remote_id:
                # A page for browsers can be good XML too.
                return None
            form = find_form(plain_version(instance.form_version))
            repeats: Iterable[str] = form.repeats if form else (self._shape.repeats if self._shape else ())
            return read_instance(body, repeats) if repeats else instance
        except xml.UnsafeXml:
            return None

    def _from_xml(self, entry: Entry, known: Known, instance: Instance, body: bytes) -> Received:
        return Received(
            Submission(
                id=entry.id,
                # The server makes an id up for a submission that came without one.
                instance_id=instance.instance_id or entry.id,
                form_id=self._form_id,
                form_version=plain_version(instance.form_version),
                submitted_at=known.submitted_at,
                submitter=known.submitter,
                review_state=known.review,
                edited=known.edited,
                answers=instance.answers,
                signature=entry.signature,
            ),
            body,
        )

    def _opened(self, received: Received, instance: Instance, rows: Mapping[str, CsvRow | None]) -> Received:
        """With the answers that the server opened, or the reason why it did not."""
        if not instance.encrypted:
            return received
        if self._archives.opens and received.submission.id in rows:
            row = rows[received.submission.id]
            # Central opens an edited one with the id of its first edition, which then fails.
            if row is not None and not row.status and row.instance_id == instance.instance_id:
                return Received(replace(received.submission, answers=row.answers), row.body)
            return replace(received, submission=replace(received.submission, sealed=DAMAGED))
        sealed = WRONG_KEY if self._archives.wrong_key else NO_KEY
        return replace(received, submission=replace(received.submission, sealed=sealed))

    def _add_files(self, wanted: Sequence[Entry], found: _Found) -> None:
        with_files = [one.id for one in wanted if one.id in found.received and Signed.read(one.signature).has_files]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            for submission_id, names in zip(with_files, pool.map(self._records.files, with_files), strict=True):
                received = found.received[submission_id]
                opened = self._archives.opens and not received.submission.sealed
                shown = opened_names(names) if opened else names
                submission = replace(received.submission, attachments=tuple(Attachment(name) for name in shown))
                found.received[submission_id] = replace(received, submission=submission)


def opened_names(names: Sequence[str]) -> Sequence[str]:
    """Names of the files of a submission when the server opens them; unchanged when it is not an encrypted one."""
    if ENCRYPTED_ANSWERS not in names:
        return names
    return [name.removesuffix(ENCRYPTED_ENDING) for name in names if name != ENCRYPTED_ANSWERS]


def _range(chunk: Sequence[Entry]) -> str:
    return sent_between([one.place for one in chunk])


def _ids(chunk: Sequence[Entry]) -> str:
    return any_of([one.id for one in chunk])


def _ahead(
    pool: ThreadPoolExecutor, work: Callable[[Sequence[Entry]], _Done], chunks: Sequence[Sequence[Entry]]
) -> Iterator[_Done]:
    """The results in order; a few are under way before they are asked for, never all."""
    running: list[Future[_Done]] = []
    coming = iter(chunks)
    for chunk in coming:
        running.append(pool.submit(work, chunk))
        if len(running) > _AHEAD:
            yield running.pop(0).result()
    for one in running:
        yield one.result()
