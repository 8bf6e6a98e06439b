"""The index of a form: derived from its batches, and made anew when in doubt.

The batches are the truth: every batch that the index has not seen is read into it first, and when a batch that it has
seen is gone, it is made again from all of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dialogkit.model.submission import Attachment, Submission
from dialogkit.pull.batches import batches, folder_name, open_batch
from dialogkit.pull.media import waits_for_media
from dialogkit.pull.mirror import Mirror

_FILE: Final = "mirror.sqlite3"
_FORMAT: Final = 1
_TABLES: Final = """
CREATE TABLE applied (batch TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE known (
    server TEXT NOT NULL, id TEXT NOT NULL, signature TEXT NOT NULL, instance_id TEXT NOT NULL, content TEXT NOT NULL,
    deleted INTEGER NOT NULL, pending TEXT NOT NULL, PRIMARY KEY (server, id)
) WITHOUT ROWID;
CREATE TABLE files (
    server TEXT NOT NULL, id TEXT NOT NULL, mark TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
    path TEXT NOT NULL
);
CREATE INDEX files_by_hash ON files (sha256);
CREATE INDEX files_by_mark ON files (server, id, mark);
"""


@contextmanager
def open_mirror(folder: Path, form_id: str) -> Iterator[Mirror]:
    """The index of a form, with every batch on disk in it.

    Args:
        folder: of all batches.
        form_id: the form.

    Raises:
        BatchError: a batch is not whole.
    """
    inside = folder / folder_name(form_id)
    try:
        db = _opened(inside)
        mirror = _caught_up(folder, form_id, db)
    except sqlite3.DatabaseError:
        # Cut off by a loss of power, or of another kind: it can be made again at any time.
        for name in (_FILE, f"{_FILE}-journal"):
            (inside / name).unlink(missing_ok=True)
        db = _opened(inside)
        mirror = _caught_up(folder, form_id, db)
    try:
        yield mirror
    finally:
        db.close()


def _opened(inside: Path) -> sqlite3.Connection:
    db = sqlite3.connect(inside / _FILE, isolation_level="DEFERRED")
    try:
        db.execute("PRAGMA temp_store = FILE")
        if db.execute("PRAGMA user_version").fetchone() != (_FORMAT,):
            names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            drops = "".join(f'DROP TABLE "{name}";' for name in names)
            # At once: each step alone would wait for the disk.
            db.executescript(f"BEGIN;{drops}{_TABLES}PRAGMA user_version = {_FORMAT};COMMIT;")
    except BaseException:
        db.close()
        raise
    return db


def _caught_up(folder: Path, form_id: str, db: sqlite3.Connection) -> Mirror:
    mirror = Mirror(folder / folder_name(form_id), db)
    on_disk = batches(folder, form_id)
    applied = {row[0] for row in db.execute("SELECT batch FROM applied")}
    if applied - {path.name for path in on_disk}:
        for table in ("applied", "known", "files"):
            db.execute(f"DELETE FROM {table}")
        applied = set()
    for path in on_disk:
        if path.name not in applied:
            _apply(mirror, path)
            mirror.commit()
    return mirror


def _apply(mirror: Mirror, path: Path) -> None:
    batch = open_batch(path)
    forms = batch.forms()
    for line in batch.lines():
        files = tuple(
            Attachment(file["name"], file["size"], file["sha256"], file.get("mark", "")) for file in line["attachments"]
        )
        submission = Submission(
            id=line["id"],
            instance_id=line["instance_id"],
            form_id=batch.manifest.form_id,
            form_version=line["form_version"],
            submitted_at=line["submitted_at"],
            deleted_at=line["deleted_at"],
            attachments=files,
            signature=line.get("signature", ""),
            sealed=line.get("sealed", ""),
            answers=line["answers"],
        )
        form = forms.get(submission.form_version)
        waits = form is not None and waits_for_media(form, submission)
        mirror.note(batch.manifest.server, submission, line["content"], path.name, waits=waits)
    mirror.applied(path.name)
