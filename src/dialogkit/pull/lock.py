"""One pull or import of a form at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from dialogkit.errors import BatchError
from dialogkit.files import sweep
from dialogkit.pull.batches import folder_name


@contextmanager
def only_one(folder: Path, form_id: str) -> Iterator[None]:
    """Keep others out of a form's batches below `folder`, and take away what a killed run left half written.

    A killed run leaves no lock behind: the system frees it.

    Raises:
        BatchError: another one is running.
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
            "Another pull or import of this form is running in this workspace.",
            "Wait until it has ended, then run the command again.",
        ) from None
    try:
        sweep(inside)
        yield
    finally:
        lock.release()
