"""What this workspace has of each server, and how that differs from a listing: ids, signatures and hashes in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dialogkit.model.server import Entry
from dialogkit.model.submission import NO_KEY, WRONG_KEY, Submission
from dialogkit.pull.batches import folder_name

_SEEN: Final = """
CREATE TEMP TABLE IF NOT EXISTS seen (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, signature TEXT NOT NULL, place TEXT NOT NULL
);
DELETE FROM temp.seen;
"""
_WANTED: Final = """
    k.id IS NULL OR k.signature <> s.signature OR k.deleted OR :everything
    OR (k.pending = 'files' AND :files) OR (k.pending = 'key' AND :keys)
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What else than new and changed submissions is to be fetched.

    Args:
        everything: all of them.
        files: those whose attachments are not all here.
        keys: those that could not be decrypted.
    """

    everything: bool = False
    files: bool = True
    keys: bool = False


@dataclass(frozen=True, slots=True)
class Differences:
    """Counts of one comparison."""

    new: int
    changed: int
    gone: int


class Mirror:
    """The index of one form. Open one with `pull.indexing.open_mirror`."""

    def __init__(self, folder: Path, db: sqlite3.Connection) -> None:
        self._folder, self._db = folder, db

    def see(self, pages: Iterator[Sequence[Entry]]) -> Iterator[int]:
        """Take in a complete listing; gives the size of each page. Call it once for each listing.

        Raises:
            sqlite3.IntegrityError: an id stands in it twice.
        """
        self._db.executescript(_SEEN)
        for page in pages:
            self._db.executemany(
                "INSERT INTO temp.seen (id, signature, place) VALUES (?, ?, ?)",
                [(entry.id, entry.signature, entry.place) for entry in page],
            )
            yield len(page)
        self._db.commit()

    def differences(self, server: str, wish: Wish) -> Differences:
        """How much is to be done after `see`."""
        new, wanted = self._one(
            f"SELECT coalesce(sum(k.id IS NULL), 0), count(*) FROM temp.seen s "
            f"LEFT JOIN known k ON k.server = :server AND k.id = s.id WHERE {_WANTED}",
            _asked(server, wish),
        )
        (gone,) = self._one(f"SELECT count(*) {_GONE}", {"server": server})
        return Differences(new, wanted - new, gone)

    def wanted(self, server: str, wish: Wish, group: int) -> Iterator[tuple[list[Entry], int]]:
        """What is to be fetched, in the order of the listing, in groups; each with the length of its range.

        The groups are read as they are asked for: what is written meanwhile does not come again.
        """
        after = 0
        while True:
            rows = self._db.execute(
                f"SELECT s.n, s.id, s.signature, s.place FROM temp.seen s "
                f"LEFT JOIN known k ON k.server = :server AND k.id = s.id WHERE s.n > :after AND ({_WANTED}) "
                "ORDER BY s.n LIMIT :group",
                _asked(server, wish) | {"after": after, "group": group},
            ).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            yield [Entry(*row[1:]) for row in rows], after - rows[0][0] + 1

    def gone(self, server: str) -> Iterator[tuple[str, str]]:
        """Id and instanceID of each submission that is here and was not in the listing."""
        yield from self._db.execute(f"SELECT k.id, k.instance_id {_GONE} ORDER BY k.id", {"server": server}).fetchall()

    def missing(self, server: str) -> list[str]:
        """Ids that were in the listing and are not here."""
        rows = self._db.execute(
            "SELECT s.id FROM temp.seen s LEFT JOIN known k ON k.server = ? AND k.id = s.id AND NOT k.deleted "
            "WHERE k.id IS NULL ORDER BY s.n",
            [server],
        )
        return [row[0] for row in rows]

    def count(self, server: str) -> int:
        """How many submissions of the server are here and not deleted."""
        return int(self._one("SELECT count(*) FROM known WHERE server = ? AND NOT deleted", [server])[0])

    def pending(self, server: str) -> dict[str, int]:
        """How many wait for `files` of the server, for `media` that phones have not sent yet, or for a `key`."""
        return dict(
            self._db.execute(
                "SELECT pending, count(*) FROM known WHERE server = ? AND pending <> '' AND NOT deleted GROUP BY 1",
                [server],
            ).fetchall()
        )

    def unchanged(self, server: str, submission: Submission, content: str) -> bool:
        """Whether exactly this is here already, under the same signature; or is here opened, and came sealed now.

        What changed beside its answers (a review) comes when it can be opened again: until then it differs.
        """
        row = self._db.execute(
            "SELECT 1 FROM known WHERE server = ? AND id = ? AND NOT deleted "
            "AND ((signature = ? AND content = ?) OR (? AND pending <> 'key' AND instance_id = ?))",
            [server, submission.id, submission.signature, content, bool(submission.sealed), submission.instance_id],
        ).fetchone()
        return row is not None

    def file(self, sha256: str) -> Path | None:
        """A file of these bytes in a batch, when there is one."""
        return self._path(self._db.execute("SELECT path, 0, '' FROM files WHERE sha256 = ?", [sha256]).fetchone())

    def file_marked(self, server: str, submission_id: str, mark: str) -> tuple[Path, int, str] | None:
        """Path, size and hash of the file that the server marks so, when it is here."""
        row = self._db.execute(
            "SELECT path, size, sha256 FROM files WHERE server = ? AND id = ? AND mark = ?",
            [server, submission_id, mark],
        ).fetchone()
        path = self._path(row)
        return (path, row[1], row[2]) if path else None

    def note(self, server: str, submission: Submission, content: str, batch: str, *, waits: bool) -> None:
        """One submission of a batch that is being written; holds when `applied` follows.

        Args:
            server: its name.
            submission: as it was written.
            content: the hash of its content.
            batch: the id of the batch.
            waits: an answer of it names a file that the phone has not sent yet.
        """
        pending = "key" if submission.sealed in (NO_KEY, WRONG_KEY) else "media" if waits else ""
        if any(not file.sha256 for file in submission.attachments):
            pending = "files"
        self._db.execute(
            "INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                server,
                submission.id,
                submission.signature,
                submission.instance_id,
                content,
                bool(submission.deleted_at),
                pending,
            ],
        )
        here = [file for file in submission.attachments if file.sha256]
        if here:
            inside = f"{batch}/attachments/{folder_name(submission.id)}"
            self._db.executemany(
                "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?)",
                [(server, submission.id, file.mark, file.size, file.sha256, f"{inside}/{file.name}") for file in here],
            )

    def applied(self, batch: str) -> None:
        """The batch has its name now."""
        self._db.execute("INSERT OR REPLACE INTO applied VALUES (?)", [batch])

    def commit(self) -> None:
        """What was noted since the last time holds."""
        self._db.commit()

    def forget(self) -> None:
        """What was noted since the last `commit` is not so."""
        self._db.rollback()

    def _path(self, row: tuple[Any, ...] | None) -> Path | None:
        path = self._folder / row[0] if row else None
        return path if path is not None and path.is_file() else None

    def _one(self, statement: str, values: Any) -> tuple[int, ...]:
        found: tuple[int, ...] = self._db.execute(statement, values).fetchone()
        return found


_GONE: Final = (
    "FROM known k LEFT JOIN temp.seen s ON s.id = k.id WHERE k.server = :server AND NOT k.deleted AND s.id IS NULL"
)


def _asked(server: str, wish: Wish) -> dict[str, Any]:
    return {"server": server, "everything": wish.everything, "files": wish.files, "keys": wish.keys}
