"""Names of at most 32 characters for statistics packages: valid in Stata, SPSS, SAS and R alike."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: What Stata and SAS allow; SPSS and R allow more.
_LONGEST: Final = 32
#: So much of the beginning of a longer name is kept, and as much of its end as fits: there stands the question itself.
_HEAD: Final = 11
#: Latin letters that do not come apart into a letter and an accent.
_LETTERS: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ŋ": "ng"}
    | {"Æ": "AE", "Œ": "OE", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "TH", "Ŋ": "NG"}
)
#: Words of Stata, SPSS, SAS and R that name no variable there, without case. Those that begin or end
#: with `_` cannot come up.
_RESERVED: Final = frozenset(
    {"byte", "int", "long", "float", "double", "strl", "if", "in", "using", "with"}
    | {"all", "and", "by", "eq", "ge", "gt", "le", "lt", "ne", "not", "or", "to"}
    | {"else", "repeat", "while", "function", "for", "next", "break", "true", "false", "null", "inf", "nan", "na"}
)
_STRING_TYPE: Final = re.compile(r"str\d+", re.IGNORECASE)


def alias_of(name: str, taken: set[str]) -> str:
    """An alias of a column, the same for the same name and the same `taken`.

    Args:
        name: of the column, in any script and of any length.
        taken: aliases of the table so far, in lower case; the new one is added.

    Returns:
        `[A-Za-z][A-Za-z0-9_]*`, at most 32 characters, no `_` at its end, no reserved word, not among `taken`.
    """
    stem = _stem(name)
    number = 1
    # A name without Latin letters or digits becomes q1, q2…
    alias = _cut(stem, "") if stem else "q1"
    while alias.lower() in taken:
        number += 1
        alias = _cut(stem, f"_{number}") if stem else f"q{number}"
    taken.add(alias.lower())
    return alias


def _stem(name: str) -> str:
    """The name in Latin letters, digits and `_`, beginning with a letter; empty when nothing of it is left."""
    apart = unicodedata.normalize("NFKD", name.translate(_LETTERS))
    letters = "".join(letter for letter in apart if not unicodedata.combining(letter))
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", letters).strip("_")
    if not plain:
        return ""
    is_word = plain.lower() in _RESERVED or _STRING_TYPE.fullmatch(plain)
    return f"q_{plain}" if is_word else plain if plain[0].isalpha() else f"q{plain}"


def _cut(stem: str, end: str) -> str:
    """At most 32 characters: the beginning and the end of a long stem, then `end`."""
    room = _LONGEST - len(end)
    if len(stem) <= room:
        return stem + end
    head = stem[:_HEAD].rstrip("_")
    return f"{head}_{stem[_HEAD - room + 1 :].lstrip('_')}{end}"
