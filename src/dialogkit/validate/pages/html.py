"""Markup in which every text from outside is escaped: only what `el` made passes as markup."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Final

#: Signs that HTML does not allow at all.
_NOT_ALLOWED: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_EMPTY: Final = frozenset({"meta", "rect", "line"})


class Html(str):
    """Markup. A plain `str` is a text, and is escaped wherever it stands."""

    __slots__ = ()


NOTHING: Final = Html()
#: What may stand inside an element.
Inside = str | Iterable[str]


def text(value: str) -> Html:
    """A text as it is read, whatever signs it has."""
    return value if isinstance(value, Html) else Html(escape(_NOT_ALLOWED.sub(" ", value)))


def el(tag: str, *inside: Inside, **attributes: str | None) -> Html:
    """An element: `el("td", "a < b", class_="n")`; an attribute `aria_label` is `aria-label`, None leaves it out."""
    named = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{text(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _EMPTY:
        return Html(f"<{tag}{named}>" if tag == "meta" else f"<{tag}{named}/>")
    return Html(f"<{tag}{named}>{join(*inside)}</{tag}>")


def join(*inside: Inside) -> Html:
    """Texts and elements one after the other."""
    return Html("".join(text(one) if isinstance(one, str) else join(*one) for one in inside))


def outside(value: str, direction: str = "auto") -> Html:
    """A text from outside, in its own direction, which reaches nothing around it.

    A sentence in our languages that only quotes a label is `ltr`: it may begin with a quote in another script.
    """
    return el("bdi", value, dir=direction)
