"""A disk that is full, in the words of our errors."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from dialogkit.errors import BatchError

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: The second is what SQLite says when a quota or a limit on the size of files stops it.
_FULL_IN_SQLITE: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)


@contextmanager
def disk_for(form_id: str) -> Iterator[None]:
    """A block that writes what belongs to a form.

    Raises:
        BatchError: BATCH-007, the disk is full.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        full = error.errno in _FULL if isinstance(error, OSError) else _code(error) in _FULL_IN_SQLITE
        if not full:
            raise
        raise BatchError(
            "BATCH-007",
            form_id,
            "The disk is full; nothing of this batch was kept.",
            "Free some space, then run the command again: it goes on where it stopped.",
        ) from None


def _code(error: sqlite3.Error) -> int:
    # Only errors that come from SQLite itself have one.
    return getattr(error, "sqlite_errorcode", 0)
