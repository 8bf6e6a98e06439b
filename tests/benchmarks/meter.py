"""Counts the CPU time of a block, and the peak memory of this process."""

from __future__ import annotations

import resource
import sys
import time
from types import TracebackType


class Meter:
    """CPU (user + system, of this process, all its threads and the children that ended) and time on the clock."""

    cpu = 0.0
    wall = 0.0

    def __enter__(self) -> Meter:
        self._cpu, self._wall = _cpu(), time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cpu, self.wall = _cpu() - self._cpu, time.perf_counter() - self._wall


def peak_megabytes() -> float:
    """The most memory that this process or one of its children ever held at once."""
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return most / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _cpu() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
