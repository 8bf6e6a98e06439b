"""The batches of one pull: what is written into them, and when one ends and the next begins."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeVar

from dialogkit.errors import UnexpectedReply
from dialogkit.instance import in_the_open
from dialogkit.model.consent import IMPORT_THROUGH_FORM_SERVER, refusal
from dialogkit.model.form import Form
from dialogkit.model.server import Entry, FeedServer, FindForm, ListingServer, Received
from dialogkit.model.submission import Origin, Submission
from dialogkit.problem import Problem
from dialogkit.progress import SILENT, Progress
from dialogkit.pull.attachments import Files
from dialogkit.pull.batches import LARGEST, folder_name, now
from dialogkit.pull.certificates import Certificate
from dialogkit.pull.media import waits_for_media
from dialogkit.pull.mirror import Mirror
from dialogkit.pull.writer import BatchWriter, Hooks, Unseal, new_batch

#: A batch is closed after so many seconds, so that a slow line cut off in the night has lost little.
LONGEST: Final = 600.0

T = TypeVar("T")

_ORIGINS: Final[tuple[Origin, Origin]] = ("server", "import")


@dataclass(frozen=True, slots=True)
class How:
    """What else than the usual a pull shall do.

    Args:
        full: fetch every submission, whatever was pulled before.
        files: fetch attachments.
        unseal: opens encrypted submissions, or says why it cannot.
        new_keys: there is a private key, so that those which could not be opened are tried again.
        assume: the version of a submission that names none: of data from before dialogkit.
    """

    full: bool = False
    files: bool = True
    unseal: Unseal | None = None
    new_keys: bool = False
    assume: str = ""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one pull brought.

    Args:
        submissions: how many were written, `deleted` among them.
        refused: reason → how many of them must not land.
        certificate: the comparison with the server at the end.
        warnings: what a person should know.
    """

    form_id: str
    submissions: int
    batches: int
    deleted: int
    refused: Mapping[str, int]
    certificate: Certificate
    warnings: tuple[Problem, ...] = ()


@dataclass
class Portions:
    """Where one pull writes to. Counts what it wrote."""

    folder: Path
    latest: Form
    find_form: FindForm
    server: FeedServer | ListingServer
    mirror: Mirror
    how: How
    submissions: int = 0
    batches: int = 0
    deleted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    sealed: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        form_id, server = self.latest.form_id, self.server

        def download(submission: Submission, name: str) -> Iterator[bytes]:
            return server.attachment(form_id, submission, name)

        self.files = Files(self.folder / folder_name(form_id), self.mirror, server.name, download)

    @property
    def form_id(self) -> str:
        """The form that is pulled."""
        return self.latest.form_id

    def bring_files(self, received: Sequence[Received]) -> None:
        """Fetch the attachments of these submissions, side by side, unless nobody wants them.

        Not of those that must not land: no file of somebody who said no touches the disk.
        """
        if self.how.files:
            with_files = [one for one in received if one.submission.attachments]
            self.files.prepare([one.submission for one in with_files if not self._is_refused(one)])

    def _is_refused(self, received: Received) -> bool:
        submission = received.submission
        form = self.find_form(submission.form_version) or self.latest
        said = in_the_open(form, submission.answers) and refusal(form, submission.answers, received.origin)
        return bool(submission.refused or said)

    @contextmanager
    def portion(self) -> Iterator[Portion]:
        """Batches to fill, one for each origin; they stand when the block ends well, else nothing of it does."""
        opened: list[BatchWriter] = []
        portion = Portion(self, opened)
        try:
            with ExitStack() as stack:
                for origin in _ORIGINS:
                    batch = new_batch(self.folder, self.form_id, origin, self.server.name, self._hooks())
                    opened.append(stack.enter_context(batch))
                yield portion
                portion.sign()
        except BaseException:
            self.mirror.forget()
            raise
        for writer in portion.filled:
            self.mirror.applied(writer.batch_id)
        self.mirror.commit()
        self.batches += len(portion.filled)
        if any(writer.attachments for writer in portion.filled):
            # Only then: what a killed run left may still be wanted.
            self.files.clear()

    def certificate(self, started_at: str, listed: int, unreadable: Sequence[str] = ()) -> Certificate:
        """The comparison of what is here with the listing that was taken in last.

        Args:
            started_at: of the pull.
            listed: its length; -1 when the server cannot list.
            unreadable: ids of what came and could not be read.
        """
        name, known = self.server.name, listed >= 0
        here = self.mirror.count(name)
        only_here = [submission_id for submission_id, _ in self.mirror.gone(name)] if known else []
        # As many there as here, and none of these is only here: there is nothing to look for.
        equal = listed == here and not only_here
        return Certificate(
            form_id=self.form_id,
            server=name,
            started_at=started_at,
            finished_at=now(),
            server_count=listed,
            local_count=here,
            only_here=only_here,
            only_there=self.mirror.missing(name) if known and not equal else (),
            unreadable=unreadable,
            files_missing=sum(self.mirror.pending(name).get(what, 0) for what in ("files", "media")),
        )

    def result(self, certificate: Certificate, warnings: Sequence[Problem] = ()) -> Pulled:
        """What the pull brought, with a word on what could not be opened, and a loud one on imports from phones."""
        # What a killed run left there of submissions that have gone or changed since.
        self.files.clear()
        where = f"{self.server.name}, {self.form_id}"
        told = [
            *warnings,
            *(_sealed(where, self.form_id, reason, count) for reason, count in sorted(self.sealed.items())),
        ]
        if count := self.refused[IMPORT_THROUGH_FORM_SERVER]:
            told.append(_loud(where, count))
        return Pulled(
            self.form_id, self.submissions, self.batches, self.deleted, dict(self.refused), certificate, tuple(told)
        )

    def _hooks(self) -> Hooks:
        # A feed sends again only what changed; a listing sends again what is looked at anew.
        return Hooks(self.how.unseal, self._known if isinstance(self.server, ListingServer) else None, self.find_form)

    def _known(self, submission: Submission, content: str) -> bool:
        known = self.mirror.unchanged(self.server.name, submission, content)
        if known and submission.sealed:
            self.sealed[submission.sealed] += 1
        return known


class Portion:
    """The batches that are being filled."""

    def __init__(self, portions: Portions, writers: list[BatchWriter]) -> None:
        self._portions, self._writers = portions, writers
        self._ends, self._taken = time.monotonic() + LONGEST, 0
        self.cursor: str | None = None

    @property
    def filled(self) -> list[BatchWriter]:
        """Those with a submission in them."""
        return [writer for writer in self._writers if writer.count]

    @property
    def full(self) -> bool:
        """Whether it is time for the next one."""
        return self._taken >= LARGEST or time.monotonic() > self._ends

    def take(self, first: T, rest: Iterator[T]) -> Iterator[T]:
        """`first`, and of the rest as much as still fits, one at a time in memory."""
        yield first
        while not self.full:
            try:
                yield next(rest)
            except StopIteration:
                return

    def add(self, received: Received) -> None:
        """One submission."""
        pull, submission = self._portions, received.submission
        if not submission.form_version and not submission.deleted_at:
            submission = replace(submission, form_version=pull.how.assume)
            received = replace(received, submission=submission)
        form = pull.find_form(submission.form_version) or pull.latest
        writer = next(one for one in self._writers if one.origin == received.origin)
        put = (lambda file, path: pull.files.put(submission, file, path)) if pull.how.files else None
        written = writer.add(received, form, put)
        self._taken += 1
        if written is None:
            return
        waits = waits_for_media(pull.find_form(written.submission.form_version) or form, written.submission)
        pull.mirror.note(pull.server.name, written.submission, written.content, writer.batch_id, waits=waits)
        pull.submissions += 1
        pull.deleted += bool(written.submission.deleted_at)
        if written.submission.refused:
            pull.refused[written.submission.refused] += 1
        if written.submission.sealed:
            pull.sealed[written.submission.sealed] += 1

    def sign(self) -> None:
        """The batch that is closed last, which is the one that was opened first, carries the cursor of a feed."""
        if self.filled:
            self.filled[0].cursor = self.cursor


def see(pull: Portions, pages: Iterator[Sequence[Entry]], progress: Progress = SILENT) -> int:
    """Take a complete listing into the mirror; gives its length.

    Raises:
        UnexpectedReply: SERVER-032, an id stands in it twice.
    """
    count = 0
    try:
        for size in pull.mirror.see(pages):
            progress.advance(size)
            count += size
    except sqlite3.IntegrityError:
        raise UnexpectedReply(
            "SERVER-032",
            f"{pull.server.name}, {pull.form_id}",
            "The server listed a submission twice.",
            "Pull again; if it stays so, tell those who run the server.",
        ) from None
    return count


def _sealed(where: str, form_id: str, reason: str, count: int) -> Problem:
    return Problem(
        "BATCH-023",
        "warning",
        where,
        f"Encrypted answers could not be opened ({reason}): submissions: {count}. They are kept, and held when landed; "
        "answers that were opened before stay.",
        f"Pull with the right private key: dialogkit pull {form_id} --full --private-key FILE (for ODK Central's own "
        "encryption: passphrase_env in dialogkit.toml). Damaged ones have to be sent again.",
    )


def _loud(where: str, count: int) -> Problem:
    return Problem(
        "BATCH-022",
        "warning",
        where,
        f"{count} submissions say that they were taken from published pages, but came from a form server. They were "
        "refused, and none of their answers was kept.",
        "Find out who sent them. Published pages come in with dialogkit import, or to the embedded server under a "
        "staff key.",
    )
