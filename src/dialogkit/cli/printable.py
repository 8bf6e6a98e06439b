"""Texts of others on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Without control characters: an answer, or an id of a server, could hold commands for the terminal."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)
