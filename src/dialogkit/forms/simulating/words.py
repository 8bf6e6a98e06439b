"""Texts that nobody takes for an answer of a person, in several scripts."""

from __future__ import annotations

from random import Random
from typing import Final

#: Every text begins with one of these, so that it is seen at once in a table, a map or a message.
_MARKS: Final = ("made up", "synthetic", "inventé", "sintético", "مصطنع", "выдумано")
_WORDS: Final = (
    *("stone", "river", "seven", "paper", "window", "slow", "green", "letter", "under", "lamp", "salt", "wheel"),
    *("été", "forêt", "garçon", "año", "mañana", "corazón", "über", "größe", "çığır", "łódka", "naïve"),
    *("نهر", "حجر", "ورق", "سبعة", "лампа", "камень", "नदी", "川", "紙"),
)
_SIGNS: Final = ("🙂", "🌍", "👩‍👩‍👧")


def text(rng: Random, fewest: int = 0, most: int = 60) -> str:
    """A text of `fewest` to `most` signs, counted as phones count them (an emoji is more than one)."""
    if most < len(_MARKS[0]):
        return "".join(rng.choice("abcdexyz") for _ in range(max(fewest, min(most, 3))))
    wanted = rng.randint(max(fewest, 1), max(fewest, min(most, fewest + 40)))
    parts = [rng.choice(_MARKS)]
    while length(" ".join(parts)) < wanted:
        parts.append(rng.choice(_SIGNS) if rng.random() < 0.02 else rng.choice(_WORDS))
    while length(" ".join(parts)) > most:
        parts.pop()
    found = " ".join(parts)
    return found + "x" * (fewest - length(found))


def length(written: str) -> int:
    """The number of UTF-16 units: what `string-length` gives on a phone."""
    return len(written.encode("utf-16-le")) // 2
