"""`make bench`: runs every measure and writes `docs/benchmarks.md`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

from tests.benchmarks.measures import Figures, measure
from tests.benchmarks.page import Results, Run, page
from tests.benchmarks.pulling import pull_all

COMPARED: Final = ("orjson_parse", "landing", "checked_landing", "pandas_landing")
PULLED: Final = (1_000, 10_000, 40_000, 100_000)
_PAGE: Final = Path("docs/benchmarks.md")


def run_all(sizes: tuple[int, ...], rounds: int, receive: int, pulled: tuple[int, ...], work: Path) -> Results:
    """Every measure, each in a process of its own; the rounds interleave, so that a busy minute hits all alike."""
    prepared = {size: _told("prepared", work / str(size), size) for size in sizes}
    runs: dict[int, list[Run]] = {size: [] for size in sizes}
    for _ in range(rounds):
        for size in sizes:
            runs[size].append({name: _told(name, work / str(size), size) for name in COMPARED})
    received = [_told("receiving", work / f"received_{number}", receive) for number in range(rounds)]
    helps = median(_told("help_page", work, 0)["cpu"] for _ in range(5))
    return Results(datetime.now(UTC).date(), prepared, runs, received, helps, pull_all(pulled, work))


def _told(name: str, folder: Path, count: int) -> Figures:
    print(f"{name} {count or ''}", file=sys.stderr, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    return measure(name, folder, count)


def main() -> None:
    """Exit code 0 also where a mark is missed: the page says it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10,000 submissions only, one run")
    parser.add_argument("--to", type=Path, help=f"the page to write (default {_PAGE}; with --quick none)")
    asked = parser.parse_args()
    # Not /tmp: where that is memory, fsync would cost nothing.
    lasting = Path("/var/tmp")
    with tempfile.TemporaryDirectory(dir=lasting if lasting.is_dir() else None) as work:
        if asked.quick:
            results = run_all((10_000,), 1, 100, (1_000,), Path(work))
        else:
            results = run_all((10_000, 100_000), 3, 1_000, PULLED, Path(work))
    text = page(results)
    print(text)
    to = asked.to or (None if asked.quick else _PAGE)
    if to:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
