"""One pull of one form from one server, into batches, with a certificate at its end."""

from __future__ import annotations

from pathlib import Path

from dialogkit.model.form import Form
from dialogkit.model.server import FeedServer, FindForm, ListingServer
from dialogkit.progress import Progress
from dialogkit.pull.batches import batches
from dialogkit.pull.disk import disk_for
from dialogkit.pull.feed import pull_feed
from dialogkit.pull.indexing import open_mirror
from dialogkit.pull.listing import pull_listing
from dialogkit.pull.lock import only_one
from dialogkit.pull.manifest import read_manifest
from dialogkit.pull.portions import How, Portions, Pulled


def pull_form(
    server: FeedServer | ListingServer,
    latest: Form,
    find_form: FindForm,
    folder: Path,
    progress: Progress,
    how: How | None = None,
) -> Pulled:
    """Bring what is new, changed or deleted on `server` into batch folders below `folder`.

    Args:
        server: where to pull from.
        latest: the current version; stands in for versions that this workspace does not know.
        find_form: the form of a version.
        folder: the folder of all batches.
        progress: told of each page.
        how: what else than the usual.

    Raises:
        BatchError: another pull of this form is running, or the disk is full.
        ServerError: the server did not answer as it should. Batches that were whole stay, the cursor does not move:
            the next pull goes on.
    """
    how = how or How()
    form_id = latest.form_id
    with disk_for(form_id), only_one(folder, form_id), open_mirror(folder, form_id) as mirror:
        portions = Portions(folder, latest, find_form, server, mirror, how)
        if isinstance(server, ListingServer):
            return pull_listing(server, portions, progress)
        cursor = "" if how.full else last_cursor(folder, form_id, server.name)
        return pull_feed(server, portions, cursor, progress)


def last_cursor(folder: Path, form_id: str, server: str) -> str:
    """Where the last pull from this feed ended, or `""`."""
    for batch in reversed(batches(folder, form_id)):
        manifest = read_manifest(batch)
        if manifest.server == server and manifest.cursor is not None:
            return manifest.cursor
    return ""
