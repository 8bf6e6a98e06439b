"""Texts of others on a terminal."""

from __future__ import annotations

from typing import Final

#: Ends of lines, and the spaces that French and Spanish set where no line may end.
_KEPT: Final = frozenset("\n\u00a0\u202f")


def printable(text: str) -> str:
    """Without control characters: an answer, or an id of a server, could hold commands for the terminal."""
    return "".join(sign if sign.isprintable() or sign in _KEPT else "\ufffd" for sign in text)
