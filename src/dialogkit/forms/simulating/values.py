"""A value of each type of question, within what is wanted of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from dialogkit.forms.simulating import words
from dialogkit.forms.simulating.limits import Bounds, Limits
from dialogkit.forms.simulating.patterns import matching

_EPOCH: Final = date(1970, 1, 1)
_ZONES: Final = ("Z", "+03:00", "+05:45", "-03:30", "-08:00", "+01:00")
_YEARS_BACK: Final = 2 * 365
#: Files that a phone would take; the bytes are made by `placeholder`.
_ENDINGS: Final[Mapping[str, str]] = {"image": "png", "photo": "png", "audio": "m4a", "background-audio": "m4a"}
_MORE_ENDINGS: Final[Mapping[str, str]] = {"video": "mp4", "osm": "osm", "file": "txt"}


@dataclass(frozen=True)
class Question:
    """What a value is made for.

    Args:
        type: the type of the question in one word.
        now: the moment of the submission on its phone.
        offered: the choices of a select, those first that were chosen least.
        range: start, end and step, where it is one.
        few: whether rows are made from it, so that a small number is better.
        file: a name for a file, without its ending.
    """

    type: str
    now: datetime
    offered: Sequence[str] = ()
    range: tuple[float, float, float] | None = None
    few: bool = False
    file: str = ""


def value(rng: Random, question: Question, limits: Limits) -> str:
    """A value, or `""` where none comes to mind."""
    if question.range:
        return _in_range(rng, question.range, limits)
    make = _MAKERS.get(question.type)
    if make:
        return make(rng, question, limits)
    if question.type in _ENDINGS or question.type in _MORE_ENDINGS:
        return f"{question.file}.{_ENDINGS.get(question.type) or _MORE_ENDINGS[question.type]}"
    return _text(rng, limits)


def _whole(rng: Random, question: Question, limits: Limits) -> str:
    low, high = limits.value.whole(0, 6 if question.few else 100)
    if question.few:
        high = min(high, low + 6)
    if low > high:
        return ""
    for _ in range(4):
        found = str(rng.choice((low, high)) if rng.random() < 0.1 else _near(rng, low, high))
        if found not in limits.unequal:
            break
    return found


def _near(rng: Random, low: int, high: int) -> int:
    """Small numbers are likelier where the range is wide: people seldom write the greatest."""
    top = min(high, low + 120) if rng.random() < 0.7 else high
    return rng.randint(low, top)


def _fraction(rng: Random, question: Question, limits: Limits) -> str:
    if rng.random() < 0.2 and not limits.value.low_open and limits.value.low > -math.inf:
        return _short(limits.value.low)
    low, high = _ends(limits.value, 0.0, 100.0)
    if low > high:
        return ""
    for digits in (1, 2, 4, 9):
        found = round(rng.uniform(low, high), digits)
        if limits.value.holds(found) and low <= found <= high:
            return _short(found)
    return _short(low) if limits.value.holds(low) else ""


def _ends(bounds: Bounds, low: float, high: float) -> tuple[float, float]:
    first = bounds.low if bounds.low > -math.inf else min(low, bounds.high - (high - low))
    if bounds.high < math.inf:
        return first, bounds.high
    return first, max(high, first + high - low) if bounds.low > -math.inf else high


def _short(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(number)


def _in_range(rng: Random, parameters: tuple[float, float, float], limits: Limits) -> str:
    start, end, step = parameters
    steps = int((end - start) / step + 1e-9) if (end - start) / step > 0 else 0
    values = [_short(round(start + place * step, 9)) for place in range(min(steps, 10_000) + 1)]
    fitting = [one for one in values if limits.value.holds(float(one)) and one not in limits.unequal]
    return rng.choice(fitting or values)


def _day(rng: Random, question: Question, limits: Limits) -> str:
    today = (question.now.date() - _EPOCH).days
    low, high = limits.value.whole(today - _YEARS_BACK, today)
    if low > high:
        return ""
    return (_EPOCH + timedelta(days=_clamped(rng.randint(low, min(high, low + 20_000))))).isoformat()


def _clamped(days: int) -> int:
    return min(max(days, -719_000), 2_900_000)


def _moment(rng: Random, question: Question, limits: Limits) -> str:
    now = (question.now - datetime(1970, 1, 1, tzinfo=question.now.tzinfo)) / timedelta(days=1)
    low, high = _ends(limits.value, now - _YEARS_BACK, now)
    if low > high:
        return ""
    days = rng.uniform(low, min(high, low + 20_000))
    at = datetime(1970, 1, 1, tzinfo=question.now.tzinfo) + timedelta(days=_clamped(int(days)) + days % 1)
    zone = rng.choice(_ZONES)
    return in_zone(at, zone)


def in_zone(at: datetime, zone: str) -> str:
    """A moment as a phone in that zone writes it: `2026-11-20T10:00:00.000+03:00`."""
    local = at if zone == "Z" else at.astimezone(datetime.fromisoformat(f"2000-01-01T00:00{zone}").tzinfo)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{zone}"


def _clock(rng: Random, question: Question, limits: Limits) -> str:
    return f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:00.000{rng.choice(_ZONES)}"


def _one(rng: Random, question: Question, limits: Limits) -> str:
    fitting = [one for one in question.offered if one not in limits.unequal and one not in limits.unselected]
    wanted = [one for one in (*limits.equal, *limits.selected) if one in fitting]
    if wanted:
        return rng.choice(wanted)
    if limits.numeric:
        fitting = [one for one in fitting if _within(one, limits.value)] or fitting
    return _least(rng, fitting) if fitting else ""


def _within(code: str, bounds: Bounds) -> bool:
    try:
        return bounds.holds(float(code))
    except ValueError:
        return False


def _least(rng: Random, offered: Sequence[str]) -> str:
    """Mostly of those that were chosen least, so that every choice is chosen in the end."""
    if rng.random() < 0.75:
        return rng.choice(offered[: max(1, len(offered) // 3)])
    return rng.choice(offered)


def _several(rng: Random, question: Question, limits: Limits) -> str:
    pool = [one for one in question.offered if one not in limits.unselected]
    taken = [one for one in dict.fromkeys((*limits.selected, *" ".join(limits.equal).split())) if one in pool]
    if limits.equal:
        return " ".join(taken)
    low, high = limits.count.whole(1, min(5, len(pool)))
    low, high = max(low, 1, len(taken)), min(high, len(pool), max(low, 1) + 5)
    if low > high or not pool:
        return " ".join(taken)
    wanted = low if rng.random() < 0.4 else rng.randint(low, high)
    for _ in range(4 * wanted):
        if len(taken) >= wanted:
            break
        one = _least(rng, pool)
        if one not in taken:
            taken.append(one)
    order = {one: place for place, one in enumerate(sorted(question.offered))}
    return " ".join(sorted(taken, key=lambda one: order[one]))


def _ranked(rng: Random, question: Question, limits: Limits) -> str:
    return " ".join(rng.sample(list(question.offered), len(question.offered)))


def _point(rng: Random, question: Question, limits: Limits) -> str:
    """In the sea where equator and prime meridian meet: nobody lives there."""
    return f"{rng.uniform(-0.9, 0.9):.6f} {rng.uniform(-0.9, 0.9):.6f} 0.0 {rng.randint(3, 20)}.0"


def _trace(rng: Random, question: Question, limits: Limits) -> str:
    return "; ".join(_point(rng, question, limits) for _ in range(rng.randint(2, 4)))


def _shape(rng: Random, question: Question, limits: Limits) -> str:
    points = [_point(rng, question, limits) for _ in range(rng.randint(3, 5))]
    return "; ".join([*points, points[0]])


def _code(rng: Random, question: Question, limits: Limits) -> str:
    if limits.pattern or limits.equal or limits.length.low > 0:
        return _text(rng, limits)
    return f"SYN{rng.randint(0, 10**8):08d}"


def _text(rng: Random, limits: Limits) -> str:
    if limits.equal:
        return rng.choice(limits.equal)
    low, high = limits.length.whole(0, 60)
    if limits.pattern:
        return matching(rng, limits.pattern, max(high, 1)) or ""
    if limits.numeric:
        first, last = limits.value.whole(0, 100)
        return str(rng.randint(first, last)) if first <= last else ""
    extra = len(limits.starts) + len(limits.contains) + len(limits.ends)
    if not extra:
        return words.text(rng, max(low, 0), max(high, low))
    middle = words.text(rng, max(low - extra, 0), max(min(high - extra, 30), 0)) if high > extra else ""
    return f"{limits.starts}{middle}{limits.contains}{limits.ends}"


_MAKERS: Final[Mapping[str, Callable[[Random, Question, Limits], str]]] = {
    "integer": _whole,
    "decimal": _fraction,
    "date": _day,
    "datetime": _moment,
    "time": _clock,
    "select_one": _one,
    "select_multiple": _several,
    "rank": _ranked,
    "geopoint": _point,
    "start-geopoint": _point,
    "background-geopoint": _point,
    "geotrace": _trace,
    "geoshape": _shape,
    "barcode": _code,
    "acknowledge": lambda rng, question, limits: "OK",
}
