"""What a rebuild writes beside the warehouse until it is whole, and who may take it away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from dialogkit.errors import WarehouseError

_NEW: Final = ".rebuild.duckdb"
_LOCK: Final = ".rebuild.lock"


def unfinished(warehouse: Path) -> Path:
    """The file that a rebuild of this warehouse fills."""
    return warehouse.with_name(_NEW)


def log_of(path: Path) -> Path:
    """DuckDB's log beside a database file."""
    return path.with_name(f"{path.name}.wal")


def clear(warehouse: Path) -> None:
    """Take away what a rebuild has written; only for who has `alone`."""
    new = unfinished(warehouse)
    for path in (new, log_of(new)):
        path.unlink(missing_ok=True)


def clear_killed(warehouse: Path) -> None:
    """Take away what a killed rebuild left: it holds answers. One that is at work keeps its file."""
    if unfinished(warehouse).exists() or log_of(unfinished(warehouse)).exists():
        with suppress(Timeout), FileLock(warehouse.with_name(_LOCK), timeout=0):
            clear(warehouse)


@contextmanager
def alone(warehouse: Path) -> Iterator[None]:
    """The block is the only one that rebuilds.

    Raises:
        WarehouseError: WAREHOUSE-043, another is at work.
    """
    try:
        with FileLock(warehouse.with_name(_LOCK), timeout=0):
            yield
    except Timeout:
        raise at_work(warehouse) from None


def at_work(warehouse: Path) -> WarehouseError:
    """Another program is at work on the warehouse."""
    return WarehouseError(
        "WAREHOUSE-043",
        warehouse.name,
        "Another program is at work on the warehouse.",
        "Wait until it is done, then run the command again.",
    )
