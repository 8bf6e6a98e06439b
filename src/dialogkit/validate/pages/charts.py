"""Drawings in SVG, inline and without a script: the trend, and a bar beside a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log10
from typing import Final

from dialogkit.validate.pages.html import Html, el

_WIDTH: Final = 720
_HEIGHT: Final = 220
_LEFT: Final = 48
_RIGHT: Final = 16
_BOTTOM: Final = 40
_TOP: Final = 28
#: A label below needs this much room.
_LABEL: Final = 64


@dataclass(frozen=True, slots=True)
class Stack:
    """One column of a chart: its name below, and its parts from the bottom, each with its class."""

    name: str
    parts: tuple[tuple[str, int], ...]

    @property
    def height(self) -> int:
        """All parts together."""
        return sum(count for _, count in self.parts)


def stacked(
    identity: str,
    title: str,
    about: str,
    stacks: Sequence[Stack],
    legend: Sequence[tuple[str, str]],
    tops: Sequence[str],
) -> Html:
    """Columns of stacked parts.

    Args:
        identity: unique in the page.
        title: read out in place of the drawing.
        about: likewise, after it.
        stacks: the columns, first to last.
        legend: class and word of each part.
        tops: what stands at the line of half the scale and at the line of the whole scale.
    """
    top = scale(max((stack.height for stack in stacks), default=0))
    room = (_WIDTH - _LEFT - _RIGHT) / max(len(stacks), 1)
    every = max(1, ceil(_LABEL / room))
    drawn = [part for place, stack in enumerate(stacks) for part in _column(stack, place, room, top)]
    names = [
        el("text", stack.name, x=_f(_LEFT + (place + 0.5) * room), y=_f(_HEIGHT - _BOTTOM + 18), text_anchor="middle")
        for place, stack in enumerate(stacks)
        if place % every == 0
    ]
    return el(
        "svg",
        el("title", title, id_=f"{identity}-title"),
        el("desc", about, id_=f"{identity}-desc"),
        _lines(tops),
        drawn,
        names,
        _legend(legend),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_labelledby=f"{identity}-title {identity}-desc",
        class_="chart",
    )


def scale(largest: int) -> int:
    """The top of the scale: 2, 4, 6, 10 or 20 times a power of ten, so that its half is a whole number."""
    power = 10 ** max(int(log10(largest)), 0) if largest else 1
    return next(step * power for step in (2, 4, 6, 10, 20) if step * power >= largest)


def share(part: int, whole: int, kind: str) -> Html:
    """A bar that says nothing more than the number beside it."""
    width = 100 * part / whole if whole else 0
    return el(
        "svg",
        el("rect", class_="back", width="100", height="10"),
        el("rect", class_=kind, width=_f(width), height="10"),
        viewBox="0 0 100 10",
        preserveAspectRatio="none",
        aria_hidden="true",
        class_="share",
    )


def _column(stack: Stack, place: int, room: float, top: int) -> list[Html]:
    wide = min(room * 0.72, 48)
    left, floor = _LEFT + (place + 0.5) * room - wide / 2, float(_HEIGHT - _BOTTOM)
    found = []
    for kind, count in stack.parts:
        high = count * (_HEIGHT - _BOTTOM - _TOP) / top
        floor -= high
        if count:
            found.append(el("rect", x=_f(left), y=_f(floor), width=_f(wide), height=_f(high), class_=kind))
    return found


def _lines(tops: Sequence[str]) -> list[Html]:
    """The line of nothing, of half and of the whole scale, each with its number."""
    found = []
    for place, word in enumerate(("0", *tops)):
        high = _HEIGHT - _BOTTOM - place * (_HEIGHT - _BOTTOM - _TOP) / 2
        found.append(el("line", x1=_f(_LEFT), x2=_f(_WIDTH), y1=_f(high), y2=_f(high)))
        found.append(el("text", word, x=_f(_LEFT - 6), y=_f(high + 4), text_anchor="end"))
    return found


def _legend(legend: Sequence[tuple[str, str]]) -> list[Html]:
    found = []
    left = float(_LEFT)
    for kind, word in legend:
        found.append(el("rect", x=_f(left), y="4", width="11", height="11", class_=kind))
        found.append(el("text", word, x=_f(left + 16), y="14"))
        left += 40 + 7 * len(word)
    return found


def _f(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
