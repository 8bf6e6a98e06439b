"""Pulls from the look-alikes of KoboToolbox and ODK Central, beside bare `requests` that send the same requests.

Each look-alike is a process of its own, paced like the real server; each pull and each bare run is one too.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

#: Seconds that the real server took for 1,000 rows of submissions (the design's facts on KoboToolbox; for Central
#: measured with 40,000 submissions on a real one). A row of Central's listing takes two fifths of that.
PACES: Final = {"kobo": 0.2, "central": 0.15}
#: Of how many submissions an incremental pull that finds nothing new is measured.
NOTHING_NEW: Final = 40_000
#: The last line that a look-alike prints when it is ready.
_LAST: Final = {"kobo": "asset", "central": "submissions"}
#: Smaller ones are measured several times.
_SMALL: Final = 10_000
_ROUNDS: Final = 3

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Pulls:
    """What was measured at one kind of server with one number of submissions.

    Args:
        kind: `kobo` or `central`.
        size: submissions on the server.
        rounds: each a pull and a bare run of the same requests, right after each other.
        nothing_new: the same for pulls into a folder that has all; of Central with its listing alone.
    """

    kind: str
    size: int
    rounds: Sequence[Mapping[str, Figures]]
    nothing_new: Sequence[Mapping[str, Figures]]

    def times_bare(self) -> float:
        """How many times as long as the bare requests the pull took; of the ratios in each round the median."""
        return median(one["pull"]["wall"] / one["bare"]["wall"] for one in self.rounds)

    def times_listing(self) -> float:
        """The same for a pull that finds nothing new, and the listing alone."""
        return median(one["pull"]["wall"] / one["listing"]["wall"] for one in self.nothing_new)

    def median_of(self, way: str, figure: str) -> float:
        return median(one[way][figure] for one in self.rounds)

    def bytes_nothing_new(self) -> float:
        """Bytes that such a pull transfers for each submission."""
        return median(one["bare"]["bytes"] for one in self.nothing_new) / self.size


def pull_all(sizes: Sequence[int], work: Path) -> list[Pulls]:
    """Every size at both servers. The two are measured side by side: they wait for their servers most of the time."""
    with ThreadPoolExecutor(len(PACES)) as pool:
        kinds = pool.map(lambda kind: [_measure(kind, size, work) for size in sizes], PACES)
        return [pulls for of_kind in kinds for pulls in of_kind]


def _measure(kind: str, size: int, work: Path) -> Pulls:
    print(f"pulling {kind} {size}", file=sys.stderr, flush=True)
    folder = work / f"{kind}_{size}"
    with _lookalike(kind, size) as told:
        rounds = []
        for _ in range(_ROUNDS if size <= _SMALL else 1):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            rounds.append({way: _once(way, kind, folder, told) for way in ("pull", "bare")})
            if rounds[-1]["pull"]["submissions"] != size:
                raise RuntimeError(f"{kind}: the pull did not bring every submission")
        nothing_new: list[Mapping[str, Figures]] = []
        if size == NOTHING_NEW:
            ways = {"kobo": ("pull", "bare"), "central": ("pull", "bare", "listing")}[kind]
            nothing_new = [{way: _once(way, kind, folder, told) for way in ways}]
    shutil.rmtree(folder)
    return Pulls(kind, size, rounds, nothing_new)


@contextmanager
def _lookalike(kind: str, size: int) -> Iterator[dict[str, str]]:
    """A look-alike in a process of its own, and what it says of itself."""
    command = [sys.executable, "-m", f"tests.lookalikes.{kind}", "--submissions", str(size), "--pace", str(PACES[kind])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            told: dict[str, str] = {}
            while _LAST[kind] not in told:
                name, _, value = process.stdout.readline().partition(" ")
                if not name:
                    raise RuntimeError(f"the look-alike of {kind} did not start")
                told[name] = value.strip()
            yield told
        finally:
            process.terminate()


def _once(way: str, kind: str, folder: Path, told: Mapping[str, str]) -> Figures:
    command = [sys.executable, "-m", "tests.benchmarks.pulling_once", way, kind, str(folder)]
    command += [f"{name}={value}" for name, value in told.items()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{way} {kind}: {done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout)
    return figures
