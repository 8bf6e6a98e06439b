"""One pull of one form from one server, into batches. The cursor moves only with the last of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dialogkit.model.form import Form
from dialogkit.model.server import FeedServer, FindForm, Page, Received
from dialogkit.model.submission import Origin
from dialogkit.progress import Progress
from dialogkit.pull.batches import LARGEST, BatchWriter, batches, new_batch
from dialogkit.pull.lock import only_one
from dialogkit.pull.manifest import read_manifest
from dialogkit.pull.refusals import note_refusals

_ORIGINS: Final[tuple[Origin, Origin]] = ("import", "server")


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one pull brought."""

    form_id: str
    submissions: int
    batches: int


def pull_form(
    server: FeedServer, latest: Form, find_form: FindForm, folder: Path, progress: Progress, *, full: bool = False
) -> Pulled:
    """Bring what is new on `server` into batch folders below `folder`.

    Args:
        server: where to pull from.
        latest: the current version; stands in for versions that this workspace does not know.
        find_form: the form of a version.
        folder: the folder of all batches.
        progress: told of each page.
        full: start from the first submission, whatever was pulled before.

    Raises:
        BatchError: another pull of this form is running.
        ServerError: the server did not answer as it should; batches that were whole stay, the rest is not kept.
    """
    with only_one(folder, latest.form_id):
        cursor = "" if full else last_cursor(folder, latest.form_id, server.name)
        progress.step(f"pull {latest.form_id}")
        total = count = 0
        for pages in _portions(server.pages(latest.form_id, cursor, find_form)):
            written = _write(server, latest, find_form, folder, pages, progress)
            total, count = total + sum(written), count + len(written)
        note_refusals(folder, latest.form_id, server.name, server.refusals(latest.form_id))
        return Pulled(latest.form_id, total, count)


def last_cursor(folder: Path, form_id: str, server: str) -> str:
    """Where the last pull from this server ended, or `""`."""
    for batch in reversed(batches(folder, form_id)):
        manifest = read_manifest(batch)
        if manifest.server == server and manifest.cursor is not None:
            return manifest.cursor
    return ""


def _write(
    server: FeedServer, latest: Form, find_form: FindForm, folder: Path, pages: Iterator[Page], progress: Progress
) -> list[int]:
    with ExitStack() as stack:
        # Closed in reverse order: the batch that carries the cursor is the last to get its name.
        writers = {
            origin: stack.enter_context(new_batch(folder, latest.form_id, origin, server.name))
            for origin in reversed(_ORIGINS)
        }
        cursor = ""
        for page in pages:
            for received in page.received:
                _add(server, writers[received.origin], received, find_form(received.submission.form_version) or latest)
            progress.advance(len(page.received))
            cursor = page.cursor
        filled = [writer for writer in writers.values() if writer.count]
        if filled:
            filled[0].cursor = cursor
        return [writer.count for writer in filled]


def _add(server: FeedServer, writer: BatchWriter, received: Received, form: Form) -> None:
    submission = received.submission
    writer.add(received, form, lambda name: server.attachment(form.form_id, submission, name))


def _portions(pages: Iterator[Page]) -> Iterator[Iterator[Page]]:
    """The same pages in runs of about `LARGEST` submissions, still one page at a time in memory."""
    for first in pages:
        yield _portion(first, pages)


def _portion(first: Page, rest: Iterator[Page]) -> Iterator[Page]:
    taken = len(first.received)
    yield first
    while taken < LARGEST:
        page = next(rest, None)
        if page is None:
            return
        taken += len(page.received)
        yield page
