"""`make bench`: runs every measure and writes `docs/benchmarks.md`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

from tests.benchmarks.landing_page import Lands
from tests.benchmarks.measures import Figures, measure
from tests.benchmarks.page import Results, Run, page
from tests.benchmarks.pulling import pull_all
from tests.benchmarks.shapes import SHAPES
from tests.benchmarks.validating_page import Validated

COMPARED: Final = ("orjson_parse", "landing", "checked_landing", "pandas_landing")
JUDGED: Final = ("bare", "pass", "gate")
PULLED: Final = (1_000, 10_000, 40_000, 100_000)
_PAGE: Final = Path("docs/benchmarks.md")


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Args:
        rounds: by number of submissions, how often each is landed. The largest is landed in batches of 100,000.
        receive: submissions that the server receives.
        pulled: sizes of pulls.
        times: how often one more submission lands.
        shapes: other forms that land.
        percent: of their submissions.
        judged: submissions whose rows are validated.
        judged_rounds: how often.
    """

    rounds: Mapping[int, int]
    receive: int = 1_000
    pulled: tuple[int, ...] = PULLED
    times: int = 5
    shapes: tuple[str, ...] = tuple(SHAPES)
    percent: int = 100
    judged: int = 1_000_000
    judged_rounds: int = 3


def run_all(plan: Plan, work: Path) -> Results:
    """Every measure, each in a process of its own; the rounds interleave, so that a busy minute hits all alike."""
    prepared = {size: _told("prepared", work / str(size), size) for size in plan.rounds}
    runs: dict[int, list[Run]] = {size: [] for size in plan.rounds}
    for number in range(max(plan.rounds.values())):
        for size in (size for size, rounds in plan.rounds.items() if number < rounds):
            runs[size].append({name: _told(name, work / str(size), size) for name in COMPARED})
    first, last = min(plan.rounds), max(plan.rounds)
    lands = Lands(
        formpack=_told("formpack_way", work / str(first), first),
        one_more=_told("one_more", work / str(last), plan.times),
        shapes={name: _told("shape_landing", work / name, plan.percent) for name in plan.shapes},
    )
    for size in plan.rounds:
        shutil.rmtree(work / str(size))
    received = [_told("receiving", work / f"received_{number}", plan.receive) for number in range(plan.rounds[first])]
    validated = _validate(plan, work / "rules")
    helps = median(_told("help_page", work, 0)["cpu"] for _ in range(5))
    return Results(
        datetime.now(UTC).date(), prepared, runs, lands, received, helps, pull_all(plan.pulled, work), validated
    )


def _validate(plan: Plan, folder: Path) -> Validated:
    prepared = _told("rules_prepared", folder, plan.judged)
    runs = [{name: _told(f"rules_{name}", folder, 0) for name in JUDGED} for _ in range(plan.judged_rounds)]
    validated = Validated(prepared, runs, _told("rules_people", folder, 0), _told("rules_beside", folder, plan.times))
    shutil.rmtree(folder)
    return validated


def _told(name: str, folder: Path, count: int) -> Figures:
    print(f"{name} {count or ''}", file=sys.stderr, flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    return measure(name, folder, count)


def main() -> None:
    """Exit code 0 also where a mark is missed: the page says it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 submissions only, one run")
    parser.add_argument("--to", type=Path, help=f"the page to write (default {_PAGE}; with --quick none)")
    asked = parser.parse_args()
    # Not /tmp: where that is memory, fsync would cost nothing.
    lasting = Path("/var/tmp")
    with tempfile.TemporaryDirectory(dir=lasting if lasting.is_dir() else None) as work:
        if asked.quick:
            results = run_all(
                Plan(
                    {2_000: 1},
                    receive=100,
                    pulled=(1_000,),
                    times=1,
                    shapes=("deep",),
                    percent=5,
                    judged=2_000,
                    judged_rounds=1,
                ),
                Path(work),
            )
        else:
            results = run_all(Plan({10_000: 3, 100_000: 3, 1_000_000: 1}), Path(work))
    text = page(results)
    print(text)
    to = asked.to or (None if asked.quick else _PAGE)
    if to:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
