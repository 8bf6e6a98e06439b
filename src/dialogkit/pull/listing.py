"""A pull from a server that is mirrored: list all, compare, fetch what differs (Kobo, Central, a folder)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from typing import Final

from dialogkit.errors import UnexpectedReply
from dialogkit.model.server import Entry, Fetched, Listing, ListingServer, Received
from dialogkit.model.submission import Submission
from dialogkit.problem import Problem
from dialogkit.progress import Progress
from dialogkit.pull.batches import now
from dialogkit.pull.certificates import last_certificate, nearly_forgotten, write_certificate
from dialogkit.pull.mirror import Wish
from dialogkit.pull.portions import Portions, Pulled, see

#: So many groups are asked for before they are needed: one comes while the one before it is read and a third written.
_AHEAD: Final = 2
#: More than this, and more than this share of all, is not taken as deleted at first sight.
_FEW: Final = 10
_MUCH: Final = 0.2


def pull_listing(server: ListingServer, pull: Portions, progress: Progress) -> Pulled:
    """Make what is here equal to what the server has.

    Raises:
        ServerError: the server did not answer as it should; batches that were whole stay, the cursor does not move.
        UnexpectedReply: SERVER-031, some submissions could not be read; all others are here.
    """
    started_at = now()
    last = last_certificate(pull.folder, pull.form_id, server.name)
    cursor = "" if pull.how.full or last is None else last.cursor
    warning = nearly_forgotten(last, server.retention_days)
    progress.step(f"list {pull.form_id}")
    listing = server.listing(pull.form_id, cursor)
    listed = see(pull, _ahead(listing.pages), progress)
    wish = Wish(pull.how.full or listing.everything, pull.how.files, pull.how.new_keys)
    todo = pull.mirror.differences(server.name, wish)
    progress.step(f"pull {pull.form_id}", todo.new + todo.changed + todo.gone)
    gone = _gone(server, pull, listing)
    doubted = None if pull.how.full else _too_many(pull, gone)
    if doubted is None:
        _bury(pull, gone, listing, progress)
    unreadable = _bring(server, pull, wish, progress) if todo.new + todo.changed else []
    certificate = pull.certificate(started_at, listed, unreadable)
    if unreadable:
        write_certificate(pull.folder, replace(certificate, cursor=last.cursor if last else ""))
        raise _not_readable(server, pull, unreadable)
    write_certificate(pull.folder, replace(certificate, cursor=listing.cursor))
    return pull.result(certificate, [one for one in (warning, doubted) if one])


def _gone(server: ListingServer, pull: Portions, listing: Listing) -> list[tuple[str, str]]:
    """Id and instanceID of what is here and was not in the listing.

    Raises:
        UnexpectedReply: SERVER-034, the server has some of them all the same.
    """
    gone = list(pull.mirror.gone(server.name))
    unsure = [submission_id for submission_id, _ in gone if submission_id not in listing.tombstones]
    left_out = server.present(pull.form_id, unsure) if unsure else set()
    if left_out:
        raise UnexpectedReply(
            "SERVER-034",
            f"{server.name}, {pull.form_id}",
            f"The server's list left out submissions that it still has: {len(left_out)}. Nothing was taken as deleted.",
            "Pull again; if it stays so, tell those who run the server.",
        )
    return gone


def _too_many(pull: Portions, gone: Sequence[tuple[str, str]]) -> Problem | None:
    """A warning where so much is gone at once that it may be a mistake. Only a person can tell: with a full pull."""
    known = pull.mirror.count(pull.server.name)
    if len(gone) <= max(_FEW, known * _MUCH):
        return None
    return Problem(
        "BATCH-024",
        "warning",
        f"{pull.server.name}, {pull.form_id}",
        f"{len(gone)} of {known} submissions are not on the server any more. Nothing was taken as deleted yet.",
        "Look whether that is meant (the right project, the rights of the account). If it is: "
        f"dialogkit pull {pull.form_id} --full",
    )


def _bury(pull: Portions, gone: Sequence[tuple[str, str]], listing: Listing, progress: Progress) -> None:
    """A tombstone for each submission that is gone. First of all: somebody may wait for it."""
    if not gone:
        return
    with pull.portion() as portion:
        for submission_id, instance_id in gone:
            tombstone = Submission(
                id=submission_id,
                instance_id=instance_id,
                form_id=pull.form_id,
                form_version="",
                submitted_at="",
                deleted_at=listing.tombstones.get(submission_id) or now(),
            )
            portion.add(Received(tombstone, b""))
            progress.advance()


def _bring(server: ListingServer, pull: Portions, wish: Wish, progress: Progress) -> list[str]:
    """Fetch and write what differs; gives the ids of those that could not be read."""
    unreadable: list[str] = []
    groups = _fetched(server, pull, wish)
    for first in groups:
        with pull.portion() as portion:
            for fetched in portion.take(first, groups):
                for received in fetched.received:
                    portion.add(received)
                    progress.advance()
                unreadable += fetched.unreadable
    return unreadable


def _fetched(server: ListingServer, pull: Portions, wish: Wish) -> Iterator[Fetched]:
    """Each group with its attachments at hand; the next ones are fetched while this one is written."""
    groups = pull.mirror.wanted(server.name, wish, server.group)
    waiting: deque[Future[Fetched]] = deque()
    with ThreadPoolExecutor(_AHEAD) as pool:

        def ask(count: int) -> None:
            for group, total in islice(groups, count):
                waiting.append(pool.submit(server.fetch, pull.form_id, group, pull.find_form, total))

        # The first one alone: with it a client learns what it has to know of the form.
        ask(1)
        while waiting:
            fetched = waiting.popleft().result()
            # Before more is asked for: a client remembers the attachments of a few groups only.
            pull.bring_files(fetched.received)
            ask(_AHEAD - len(waiting))
            yield fetched


def _ahead(pages: Iterator[Sequence[Entry]]) -> Iterator[Sequence[Entry]]:
    """The pages; the next one comes while this one is taken in."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, pages, None)
        while (page := coming.result()) is not None:
            coming = pool.submit(next, pages, None)
            yield page


def _not_readable(server: ListingServer, pull: Portions, unreadable: Sequence[str]) -> UnexpectedReply:
    shown = ", ".join(unreadable[:5]) + (" …" if len(unreadable) > 5 else "")
    return UnexpectedReply(
        "SERVER-031",
        f"{server.name}, {pull.form_id}",
        f"{len(unreadable)} submissions came in a form that cannot be read: {shown}. All others are here.",
        "Look at them on the server, correct or delete them there, then pull again.",
    )
