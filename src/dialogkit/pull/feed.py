"""A pull from a server that tells what came after a cursor (OpenRosa)."""

from __future__ import annotations

from dialogkit.model.server import Entry, FeedServer
from dialogkit.progress import Progress
from dialogkit.pull.batches import now
from dialogkit.pull.certificates import Certificate, write_certificate
from dialogkit.pull.portions import Portions, Pulled, see
from dialogkit.pull.refusals import note_refusals


def pull_feed(server: FeedServer, pull: Portions, cursor: str, progress: Progress) -> Pulled:
    """Bring what came after `cursor`. It moves with the last batch of each portion.

    Raises:
        ServerError: the server did not answer as it should; batches that were whole stay.
    """
    started_at = now()
    progress.step(f"pull {pull.form_id}")
    pages = server.pages(pull.form_id, cursor, pull.find_form)
    for first in pages:
        with pull.portion() as portion:
            for page in portion.take(first, pages):
                pull.bring_files(page.received)
                for received in page.received:
                    portion.add(received)
                progress.advance(len(page.received))
                portion.cursor = page.cursor
    note_refusals(pull.folder, pull.form_id, server.name, server.refusals(pull.form_id))
    certificate = _compare(server, pull, started_at)
    write_certificate(pull.folder, certificate)
    return pull.result(certificate)


def _compare(server: FeedServer, pull: Portions, started_at: str) -> Certificate:
    """Ask for the ids of all that the server keeps, where it can tell."""
    listed = server.ids(pull.form_id)
    if listed is None:
        return pull.certificate(started_at, -1)
    return pull.certificate(started_at, see(pull, (tuple(Entry(one, "") for one in ids) for ids in listed)))
