"""One pull or import of a form at a time."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from dialogkit.errors import BatchError
from dialogkit.files import sweep, write_whole
from dialogkit.pull.batches import folder_name, now

_HOLDER: Final = "lock-holder.json"


@contextmanager
def only_one(folder: Path, form_id: str) -> Iterator[None]:
    """Keep others out of a form's batches below `folder`, and take away what a killed run left half written.

    A killed run leaves no lock behind: the system frees it.

    Raises:
        BatchError: another one is running; the message says which.
    """
    inside = folder / folder_name(form_id)
    inside.mkdir(parents=True, exist_ok=True)
    lock = FileLock(inside / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise BatchError(
            "BATCH-006",
            form_id,
            f"Another pull or import of this form is running in this workspace{_holder(inside)}.",
            "Wait until it has ended, then run the command again.",
        ) from None
    try:
        sweep(inside)
        told = {"pid": os.getpid(), "host": socket.gethostname(), "since": now()}
        write_whole(inside / _HOLDER, json.dumps(told).encode())
        yield
    finally:
        with suppress(OSError):
            (inside / _HOLDER).unlink()
        lock.release()


def _holder(inside: Path) -> str:
    """Who holds the lock, as far as it says; two starting at once may have to go without."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads((inside / _HOLDER).read_bytes())
        return f" (process {int(told['pid'])} on {str(told['host'])[:60]}, since {str(told['since'])[:30]})"
    return ""
