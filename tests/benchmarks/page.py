"""The figures as a page of the documentation, in plain words."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from statistics import median
from typing import Final

from tests.benchmarks.landing_page import Lands, Sizes, landing_marks, landing_part
from tests.benchmarks.pulling import Pulls
from tests.benchmarks.pulling_page import pulling_marks, pulling_part
from tests.benchmarks.validating_page import Validated, validating_marks, validating_part

Run = Mapping[str, Mapping[str, float]]

#: The marks that dialogkit has set itself.
MOST_TIMES_ORJSON: Final = 10
MOST_MEGABYTES: Final = 1500
MOST_HELP_SECONDS: Final = 0.25

_MARKED: Final = 100_000
_LIBRARIES: Final = ("duckdb", "great-expectations", "pandas", "orjson", "uvicorn")
_NAMES: Final = {
    "orjson_parse": "orjson: only parse the lines",
    "landing": "dialogkit: land, every submission accepted unchecked",
    "checked_landing": "dialogkit: `dialogkit land`, with every rule",
    "pandas_landing": "pandas: `json_normalize` into DuckDB, nothing typed or checked",
}


@dataclass(frozen=True)
class Results:
    """What one call of the benchmarks found.

    Args:
        day: when.
        prepared: by number of submissions: sizes in bytes, seconds to write the batch.
        runs: by number of submissions: one run a round, measure → figures.
        lands: what is measured once.
        received: one a round.
        help_seconds: CPU of `dialogkit --help`.
        pulls: one for each server and number of submissions.
        validated: rules over a million staged submissions, and over a hundred beside a million.
    """

    day: date
    prepared: Mapping[int, Mapping[str, float]]
    runs: Mapping[int, Sequence[Run]]
    lands: Lands
    received: Sequence[Mapping[str, float]]
    help_seconds: float
    pulls: Sequence[Pulls]
    validated: Validated

    def median_of(self, size: int, name: str, figure: str) -> float:
        return median(run[name][figure] for run in self.runs[size])

    def times_orjson(self, size: int, name: str) -> float:
        """The ratio within each run; of these the median."""
        return median(run[name]["cpu"] / run["orjson_parse"]["cpu"] for run in self.runs[size])

    def received_rate(self, name: str) -> float:
        return median(one[name] for one in self.received)


def page(results: Results) -> str:
    """The whole page."""
    parts = (_head, _marks, _landing, _million, _validating, _sizes, _receiving, _pulling)
    return "\n".join(line for part in parts for line in part(results)) + "\n"


def _head(results: Results) -> Iterator[str]:
    versions = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    rounds = len(results.received)
    yield "# Speed and size"
    yield ""
    yield f"Made by `make bench` on {results.day.isoformat()}; do not edit. {_machine()}; {versions}."
    yield ""
    yield (
        "The submissions are made up from a fixed seed, in the shape that KoboToolbox gives them: a form of 60 "
        "questions with a repeat of about 3 rows, about 2.9 kB each; one in a hundred has something wrong with it. "
        "“CPU” is user and system time of all threads. Each measure runs in a process of its own; figures are the "
        f"median of {rounds} interleaved run{'s' if rounds > 1 else ''} (of a million: one run), and “times orjson” is "
        "taken within one run, because machines differ more than ratios do. Starting Python and importing libraries is "
        "left out, except for `--help`."
    )
    yield ""


def _marks(results: Results) -> Iterator[str]:
    yield "## Marks"
    yield ""
    yield "| mark | measured | holds |"
    yield "|---|---|---|"
    each = (
        *_each_mark(results),
        *landing_marks(_by_size(results), results.lands),
        *validating_marks(results.validated),
        *pulling_marks(results.pulls),
    )
    for mark, measured, holds in each:
        yield f"| {mark} | {measured} | {holds} |"
    yield ""


def _each_mark(results: Results) -> Iterator[tuple[str, str, str]]:
    asked: list[tuple[str, float, str, Callable[[], float]]] = [
        (
            f"landing 100,000 costs at most {MOST_TIMES_ORJSON} times orjson's parse of the same bytes",
            MOST_TIMES_ORJSON,
            "{:.1f} times",
            lambda: results.times_orjson(_MARKED, "landing"),
        ),
        (
            f"landing 100,000 takes less than {MOST_MEGABYTES:,} MB of memory, rules and Great Expectations included",
            MOST_MEGABYTES,
            "{:,.0f} MB",
            lambda: max(results.median_of(_MARKED, name, "peak") for name in ("landing", "checked_landing")),
        ),
        (
            f"`dialogkit --help` takes at most {MOST_HELP_SECONDS} s of CPU (median of 5)",
            MOST_HELP_SECONDS,
            "{:.2f} s",
            lambda: results.help_seconds,
        ),
    ]
    for mark, most, shown, figure in asked:
        if "100,000" in mark and _MARKED not in results.runs:
            yield mark, "not in this run", "–"
        else:
            yield mark, shown.format(figure()), "yes" if figure() <= most else "**no**"


def _landing(results: Results) -> Iterator[str]:
    yield "## Landing"
    yield ""
    yield "| submissions | way | CPU s | clock s | times orjson | peak memory MB |"
    yield "|---:|---|---:|---:|---:|---:|"
    for size in results.runs:
        for name, shown in _NAMES.items():
            cpu, wall, peak = (results.median_of(size, name, figure) for figure in ("cpu", "wall", "peak"))
            times = results.times_orjson(size, name)
            yield f"| {size:,} | {shown} | {cpu:.2f} | {wall:.2f} | {times:.1f} | {peak:,.0f} |"
    yield ""
    last = max(results.runs)
    checked = {name: results.median_of(last, "checked_landing", name) for name in ("rules", "held", "import")}
    yield (
        "A landing begins with the checksums of the batch folder and ends with the closed warehouse file: every "
        "answer typed, values that do not fit and unknown paths kept, identifiers apart, all in one transaction. With "
        f"rules, {checked['rules']:.0f} of them run through Great Expectations ({checked['held']:,.0f} of {last:,} "
        f"submissions are held); its import costs {checked['import']:.1f} s of CPU once a command and is not in the "
        "table. orjson's lines are in memory, 20,000 at a time, before its clock starts. pandas takes as many at a "
        "time, parses them with orjson, and writes the repeat as a second table."
    )
    yield ""


def _million(results: Results) -> Iterator[str]:
    yield from landing_part(_by_size(results), results.lands)


def _by_size(results: Results) -> Sizes:
    """Medians: number of submissions → measure → figures, with the sizes in bytes as `prepared`."""
    found: dict[int, dict[str, Mapping[str, float]]] = {}
    for size, runs in results.runs.items():
        found[size] = {
            name: {figure: results.median_of(size, name, figure) for figure in runs[0][name]} for name in runs[0]
        }
        found[size]["prepared"] = results.prepared[size]
    return found


def _sizes(results: Results) -> Iterator[str]:
    yield "## Size"
    yield ""
    yield "| submissions | raw MB | batch folder | warehouse file | pandas' tables | writing the batch, CPU s |"
    yield "|---:|---:|---:|---:|---:|---:|"
    for size, facts in results.prepared.items():
        raw = facts["raw"]
        database, frames = (results.median_of(size, name, "database") for name in ("landing", "pandas_landing"))
        shares = " | ".join(f"{share / raw:.0%}" for share in (facts["batch"], database, frames))
        yield f"| {size:,} | {raw / 1e6:.0f} | {shares} | {facts['write_seconds']:.1f} |"
    yield ""
    yield (
        "Shares are of the raw bytes as KoboToolbox sends them. A batch folder keeps the answers twice: as dialogkit "
        "reads them, and byte by byte as they came; the second costs little, because it is packed with the first as "
        "its context (a server that sends XML gains less: together about a quarter of the raw bytes). Writing it is "
        "part of a pull, not of a landing."
    )
    yield ""


def _receiving(results: Results) -> Iterator[str]:
    first = results.received[0]
    bare = median((one["bare"] + one["bare_after"]) / 2 for one in results.received)
    yield "## Receiving"
    yield ""
    yield "| way | submissions a second | share of the bare loop |"
    yield "|---|---:|---:|"
    yield f"| bare loop: write, fsync, rename, fsync the folder | {bare:,.0f} | 100% |"
    for name, shown in (("one", "`dialogkit serve`, 1 client"), ("several", "`dialogkit serve`, 8 clients at once")):
        yield f"| {shown} | {results.received_rate(name):,.0f} | {results.received_rate(name) / bare:.0%} |"
    yield ""
    yield (
        f"A submission of {first['bytes'] / 1000:.1f} kB of XML is sent over a connection that stays open, and counts "
        "when the server has said 201: its XML and its facts are then flushed to the disk, with their folder. The bare "
        "loop writes the same bytes in the same run, before and after. The server takes "
        f"{1000 * results.received_rate('server_cpu'):.1f} ms of CPU a submission and "
        f"{results.received_rate('server_peak'):,.0f} MB of memory."
    )


def _validating(results: Results) -> Iterator[str]:
    yield from validating_part(results.validated)


def _pulling(results: Results) -> Iterator[str]:
    yield ""
    yield from pulling_part(results.pulls)


def _machine() -> str:
    return f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}, Python {platform.python_version()}"
