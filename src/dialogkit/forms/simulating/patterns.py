"""Texts that a regular expression matches, made from Python's own reading of the pattern."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from random import Random
from re import _constants as sre  # the parser of `re` has no public name
from re import _parser as parser
from typing import Any, Final

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_ALL: Final = [chr(code) for code in range(33, 127)]
_BEYOND: Final = 8
_CATEGORIES: Final[Mapping[Any, Callable[[str], bool]]] = {
    sre.CATEGORY_DIGIT: lambda sign: sign.isdecimal(),
    sre.CATEGORY_NOT_DIGIT: lambda sign: not sign.isdecimal(),
    sre.CATEGORY_SPACE: str.isspace,
    sre.CATEGORY_NOT_SPACE: lambda sign: not sign.isspace(),
    sre.CATEGORY_WORD: lambda sign: sign.isalnum() or sign == "_",
    sre.CATEGORY_NOT_WORD: lambda sign: not (sign.isalnum() or sign == "_"),
}
_CLASSES: Final = {r"\p{L}": "A-Za-zÀ-ÖØ-öø-ÿ", r"\p{Alpha}": "A-Za-z", r"\p{Digit}": "0-9", r"\p{N}": "0-9"}


def matching(rng: Random, pattern: str, most: int = 1000) -> str | None:
    """A text that the whole pattern matches; None where it holds something that cannot be made up (look-ahead).

    Args:
        rng: the source of chance.
        pattern: as Java reads it; only what Python reads in the same way is tried.
        most: no open repetition goes far beyond it.
    """
    # Java takes the dash behind a class of signs for itself, Python for a range.
    pattern = re.sub(r"(\\[wdsWDS])-(?!\])", r"\1\\-", pattern)
    for written, signs in _CLASSES.items():
        pattern = pattern.replace(written, signs if f"[{written}" in pattern else f"[{signs}]")
    try:
        found = _Maker(rng, most).all(parser.parse(pattern))
    except (re.error, _Unknown, OverflowError, RecursionError):
        return None
    return found if re.fullmatch(pattern, found) else None


class _Unknown(Exception):  # noqa: N818 - never leaves this file
    """A part of a pattern that is not made up here."""


class _Maker:
    """Makes a text part by part."""

    def __init__(self, rng: Random, most: int) -> None:
        self._rng, self._most = rng, most
        self._groups: dict[int, str] = {}
        repeated: Callable[[Any], str] = lambda about: self._times(*about)  # noqa: E731 - three names of one way
        self._ways: Mapping[Any, Callable[[Any], str]] = {
            sre.LITERAL: chr,
            sre.AT: lambda _: "",
            sre.ASSERT_NOT: lambda _: "",
            sre.ANY: lambda _: self._plain(0),
            sre.NOT_LITERAL: self._plain,
            sre.IN: self._one_of,
            sre.BRANCH: lambda about: self.all(self._rng.choice(about[1])),
            sre.SUBPATTERN: self._group,
            sre.MAX_REPEAT: repeated,
            sre.MIN_REPEAT: repeated,
            sre.POSSESSIVE_REPEAT: repeated,
            sre.GROUPREF: lambda about: self._groups.get(about, ""),
        }

    def all(self, parts: Any) -> str:
        """The text of a sequence of parts."""
        return "".join(self._part(kind, about) for kind, about in parts)

    def _part(self, kind: Any, about: Any) -> str:
        if kind not in self._ways:
            raise _Unknown
        return self._ways[kind](about)

    def _plain(self, but: int) -> str:
        return self._rng.choice([sign for sign in _LETTERS if ord(sign) != but])

    def _group(self, about: Any) -> str:
        number, _, _, parts = about
        text = self.all(parts)
        if number is not None:
            self._groups[number] = text
        return text

    def _times(self, fewest: int, most: int, parts: Any) -> str:
        top = min(most, max(fewest, min(fewest + _BEYOND, self._most)))
        return "".join(self.all(parts) for _ in range(self._rng.randint(fewest, top)))

    def _one_of(self, items: Any) -> str:
        signs, plain = _signs(tuple(items))
        if not signs:
            raise _Unknown
        return self._rng.choice(plain if plain and self._rng.random() < 0.9 else signs)


@lru_cache(maxsize=256)
def _signs(items: tuple[Any, ...]) -> tuple[Sequence[str], Sequence[str]]:
    """The signs that a set in brackets takes, and the plain ones among them."""
    negated = items[0][0] is sre.NEGATE
    wanted = items[1:] if negated else items
    outside = [chr(one) for kind, about in wanted for one in _ends(kind, about)]
    pool = [*_ALL, " ", *outside]
    signs = [sign for sign in pool if any(_holds(kind, about, sign) for kind, about in wanted) != negated]
    return signs, [sign for sign in signs if sign.isascii() and sign.isalnum()]


def _ends(kind: Any, about: Any) -> tuple[int, ...]:
    if kind is sre.LITERAL:
        return (about,)
    return (about[0], about[1]) if kind is sre.RANGE else ()


def _holds(kind: Any, about: Any, sign: str) -> bool:
    if kind is sre.LITERAL:
        return bool(ord(sign) == about)
    if kind is sre.RANGE:
        return bool(about[0] <= ord(sign) <= about[1])
    return bool(_CATEGORIES[about](sign))
