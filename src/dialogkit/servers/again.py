"""When a request that failed is sent again, and how long to wait before."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import FrameType
from typing import Final

from dialogkit.errors import ServerUnreachable

#: Sending these twice does what sending them once does (RFC 9110, 9.2.2).
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
#: Only these of the failures may pass by themselves; a certificate does not.
_PASSING: Final = frozenset({"SERVER-001", "SERVER-005", "SERVER-015"})

#: Seconds between two looks whether a person wants to stop.
_STEP: Final = 0.1


@dataclass
class _Run:
    stopped: bool = False


_RUN: Final = _Run()


@contextmanager
def stoppable() -> Iterator[None]:
    """Inside, Ctrl-C ends every wait and every answer that is being read, also those of threads.

    Without it a thread that waits for a busy server would hold up the end of the program. Where somebody else handles
    the signal, and outside the main thread, nothing is changed.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        _RUN.stopped = True
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _RUN.stopped = False


def go_on() -> None:
    """Stop here when a person pressed Ctrl-C.

    Raises:
        KeyboardInterrupt: in the thread that asks.
    """
    if _RUN.stopped:
        raise KeyboardInterrupt


def pause(seconds: float) -> None:
    """Wait, unless a person stops it."""
    while seconds > 0:
        go_on()
        time.sleep(min(seconds, _STEP))
        seconds -= _STEP


def busy(where: str, retry_after: str) -> ServerUnreachable:
    """The error for a server that asks to come back later (429, 503).

    Args:
        where: the name of the server.
        retry_after: its header of that name, or `""`.
    """
    error = ServerUnreachable(
        "SERVER-015",
        where,
        "The server is busy or down for maintenance, and asks to come back later.",
        "Run the same command again in some minutes.",
    )
    error.retry_after = _seconds(retry_after)
    return error


@dataclass(frozen=True)
class Again:
    """How often a request is tried, and how long the waits are.

    Args:
        tries: in all.
        first: seconds before the second try; each further wait is twice as long, give or take a quarter.
        longest: a server that asks for a longer wait than this is not waited for.
    """

    tries: int = 4
    first: float = 0.5
    longest: float = 60.0
    sleep: Callable[[float], None] = field(default=pause, repr=False)

    def waits(self, repeat: bool) -> Iterator[Wait]:
        """One `Wait` a try."""
        tries = self.tries if repeat else 1
        for number in range(tries):
            go_on()
            yield Wait(self, number, last=number == tries - 1)


@dataclass(frozen=True)
class Wait:
    """What follows a try that failed."""

    again: Again
    number: int
    last: bool

    def or_raise(self, error: ServerUnreachable) -> None:
        """Wait before the next try, or raise when there is none or it would not help."""
        asked = error.retry_after
        if self.last or error.code not in _PASSING or asked > self.again.longest:
            raise error
        usual = self.again.first * 2**self.number * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, no secret
        self.again.sleep(asked if asked >= 0 else min(usual, self.again.longest))


def repeatable(method: str) -> bool:
    """Whether a request of this method may be sent twice without harm."""
    return method in _IDEMPOTENT


def _seconds(retry_after: str) -> float:
    """The header `Retry-After` (RFC 9110, 10.2.3): seconds, or a date."""
    # Not isdigit: a raised ² is a digit, and no number.
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        at = parsedate_to_datetime(retry_after)
    except (ValueError, TypeError, OverflowError):
        return -1
    return max(0.0, (at - datetime.now(UTC)).total_seconds()) if at.tzinfo else -1
