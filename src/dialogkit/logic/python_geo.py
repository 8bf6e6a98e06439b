"""The functions over places as JavaRosa has them (`org.javarosa.core.util.GeoUtils`)."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.python_known import ANY, Known
from dialogkit.logic.values import Found, NodeSet, Value, single, to_text

_RADIUS: Final = 6_378_100
_ROUND: Final = 2 * _RADIUS * math.pi
_NUMBER: Final = re.compile(r"[+-]?(?:NaN|Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
Place = tuple[float, float]


def _place(text: str) -> Place:
    """Latitude and longitude; an empty text is the place 0 0, as it is to phones."""
    parts = [part for part in text.split(" ") if part]
    if len(parts) > 4 or not all(map(_NUMBER.fullmatch, parts)):
        raise NotDecidable("a text that is no place is used as a place: phones stop there")
    latitude, longitude = ([float(part) for part in parts] + [0.0, 0.0])[:2]
    return latitude, longitude


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.rstrip(";").split(";")]


def _places(found: Found, function: str) -> list[Place]:
    """The places of a line or an area, or of the rows of a repeat."""
    if not isinstance(found, NodeSet):
        raise NotDecidable(f"{function}() is asked of something that is no question: phones stop there")
    texts = [to_text(value) for value in found.values]
    return [_place(text) for text in (_parts(texts[0]) if len(texts) == 1 else texts)]


def area(places: Sequence[Place]) -> float:
    """Square metres inside a line around."""
    if len(places) < 3:
        return 0.0
    latitude, longitude = places[0]
    flat = [
        ((x - longitude) * _ROUND * math.cos(math.radians(y)) / 360.0, (y - latitude) * _ROUND / 360.0)
        for y, x in places[1:]
    ]
    total = 0.0
    for (x1, y1), (x2, y2) in itertools.pairwise(flat):
        total += (y1 * x2 - x1 * y2) / 2
    return abs(total)


def length(places: Sequence[Place]) -> float:
    """Metres along a line."""
    return sum((_between(one, other) for one, other in itertools.pairwise(places)), 0.0)


def _between(one: Place, other: Place) -> float:
    """The spherical law of cosines, as JavaRosa counts."""
    first, second = math.radians(one[0]), math.radians(other[0])
    apart = math.radians(one[1] - other[1])
    if not all(map(math.isfinite, (first, second, apart))):
        return math.nan
    cosine = math.sin(first) * math.sin(second) + math.cos(first) * math.cos(second) * math.cos(apart)
    return math.acos(cosine) * _RADIUS if -1 <= cosine <= 1 else math.nan


def _distance(*arguments: Found) -> float:
    if len(arguments) > 1:
        return length([_place(to_text(single(one))) for one in arguments])
    if isinstance(arguments[0], str):
        return length([_place(part) for part in _dropped(arguments[0].split(";"))])
    return length(_places(arguments[0], "distance"))


def _dropped(parts: list[str]) -> Iterable[str]:
    """Without the empty parts at the end, as Java's `split` leaves them out."""
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts


def _inside(point: Value, fence: Found) -> bool:
    """Whether a place lies inside an area (W. R. Franklin's `pnpoly`)."""
    y, x = _place(to_text(point))
    inside = False
    corners = _places(fence, "geofence")
    for (y1, x1), (y2, x2) in itertools.pairwise(corners):
        if (y2 > y) != (y1 > y) and x < (x1 - x2) * (y - y2) / (y1 - y2) + x2:
            inside = not inside
    return inside


PLACES: Final[Mapping[str, Known]] = {
    **dict.fromkeys(("area", "enclosed-area"), Known(1, 1, lambda _, nodes: area(_places(nodes, "area")), nodes=True)),
    "distance": Known(1, ANY, lambda _, *arguments: _distance(*arguments), nodes=True),
    "geofence": Known(2, 2, lambda _, point, fence: _inside(single(point), fence), nodes=True),
}
