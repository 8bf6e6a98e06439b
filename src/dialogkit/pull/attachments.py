"""Attachments of one pull: fetched side by side into a store that survives a stop, then linked into the batch.

The same bytes lie on the disk once: a file that an older batch has is linked, not copied and not fetched again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from dialogkit.errors import NotOnServer
from dialogkit.files import sha256_of
from dialogkit.model.submission import Attachment, Submission
from dialogkit.pull.mirror import Mirror

_SIDE_BY_SIDE: Final = 8
_STORE: Final = ".files"

#: Gives the bytes of an attachment of a submission.
Download = Callable[[Submission, str], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class _Stored:
    path: Path
    size: int
    sha256: str


class Files:
    """Brings attachments into batches.

    Args:
        inside: the folder of a form's batches; the store is in it.
        mirror: tells what older batches have.
        server: name of the server.
        download: asks it for a file. Called from several threads.
    """

    def __init__(self, inside: Path, mirror: Mirror, server: str, download: Download) -> None:
        self._store, self._mirror, self._server, self._download = inside / _STORE, mirror, server, download
        self._ready: dict[str, _Stored | None] = {}
        self._left: dict[str, Path] | None = None

    def prepare(self, submissions: Sequence[Submission]) -> None:
        """Fetch what is not here yet of these submissions; files that came before a stop are not fetched again.

        Raises:
            ServerError: the server did not answer as it should; what came before stays in the store.
        """
        self._ready.clear()
        tasks = []
        for submission in submissions:
            for file in submission.attachments:
                known = file.mark and self._mirror.file_marked(self._server, submission.id, file.mark)
                if known:
                    self._ready[_key(submission, file)] = _Stored(*known)
                else:
                    tasks.append((submission, file))
        if tasks:
            self._store.mkdir(parents=True, exist_ok=True)
            if self._left is None:
                self._left = {path.name.partition("-")[0]: path for path in self._store.iterdir()}
            with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
                for key, stored in pool.map(self._bring, tasks):
                    self._ready[key] = stored

    def put(self, submission: Submission, file: Attachment, target: Path) -> Attachment:
        """Link one prepared file to `target`.

        Returns:
            The attachment with its size and hash; without, when the server lists the file and does not have it.
        """
        stored = self._ready.get(_key(submission, file))
        if stored is None:
            return file
        target.unlink(missing_ok=True)
        _link(self._mirror.file(stored.sha256) or stored.path, target)
        return replace(file, size=stored.size, sha256=stored.sha256)

    def clear(self) -> None:
        """Empty the store: what it held stands in batches now."""
        self._ready.clear()
        self._left = {}
        shutil.rmtree(self._store, ignore_errors=True)

    def _bring(self, task: tuple[Submission, Attachment]) -> tuple[str, _Stored | None]:
        submission, file = task
        key = _key(submission, file)
        if stored := self._left_over(key):
            return key, stored
        digest, size, partial = hashlib.sha256(), 0, self._store / f"{key}.part"
        try:
            with partial.open("wb") as out:
                for piece in self._download(submission, file.name):
                    out.write(piece)
                    digest.update(piece)
                    size += len(piece)
        except NotOnServer:
            partial.unlink(missing_ok=True)
            return key, None
        path = self._store / f"{key}-{digest.hexdigest()}"
        partial.rename(path)
        return key, _Stored(path, size, digest.hexdigest())

    def _left_over(self, key: str) -> _Stored | None:
        """A file that came before a stop. Its name says what it must hold: a loss of power may have cut it."""
        path = (self._left or {}).get(key)
        if path is None or path.suffix == ".part":
            return None
        claimed = path.name.partition("-")[2]
        return _Stored(path, path.stat().st_size, claimed) if sha256_of(path) == claimed else None


def _key(submission: Submission, file: Attachment) -> str:
    """One for each file as it is now: a file that is replaced changes the signature, or else its mark."""
    facts = (submission.id, submission.instance_id, submission.signature, file.name, file.mark)
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Some file systems know no links (memory cards, some shares).
        shutil.copyfile(source, target)
