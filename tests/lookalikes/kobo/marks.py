"""What the server makes up itself: uids in the lengths KoboToolbox uses, times in its three spellings."""

from __future__ import annotations

import random
import string
import uuid
from datetime import UTC, datetime

_SIGNS = string.digits + string.ascii_letters
_random = random.Random(8)  # the same uids in every run: a failure can be repeated


def uid(prefix: str) -> str:
    """A uid as KoboToolbox makes them: a prefix that says what it is of, and 21 letters or digits."""
    return prefix + "".join(_random.choices(_SIGNS, k=21))


def kuid() -> str:
    """The mark of a row of a form."""
    return "".join(_random.choices(_SIGNS, k=9))


def new_uuid() -> str:
    return str(uuid.UUID(int=_random.getrandbits(128), version=4))


class Clock:
    """The server's clock; a replay stands it at the recorded time."""

    standing: datetime | None = None


def now() -> datetime:
    return Clock.standing or datetime.now(UTC)


def micro(moment: datetime | None) -> str | None:
    """`2026-11-20T12:42:37.180258Z`, as times of forms are spelled."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else None


def seconds(moment: datetime) -> str:
    """`2026-11-20T12:42:37Z`, as in the history."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def bare(moment: datetime) -> str:
    """`2026-11-20T12:42:37`, as `_submission_time`: UTC without saying so."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
