"""Functions that no stored answer decides, and what is said of them: the same by SQL and by Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Why these cannot be decided on stored answers.
UNDECIDABLE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("random", "uuid", "randomize"), "its value is made by chance on the phone"),
    **dict.fromkeys(("property", "get-property"), "it is a property of the phone, which is not stored"),
    "jr:itext": "it is a text of the form in the language of the phone, which is not stored",
    "last-saved": "it is an answer of the submission before, which is not stored with this one",
    "intersects": "the engine that it is tested against (JavaRosa 5.1) does not know it",
}


def refused(name: str) -> str:
    """Why a function that is computed nowhere cannot be decided."""
    why = UNDECIDABLE.get(name)
    return f"{name}(): {why}" if why else f"{name}() is not a function that phones know"


def wrong_number(name: str, number: int) -> str:
    """Why a function with so many arguments cannot be decided."""
    return f"{name}() has {number} argument{'' if number == 1 else 's'}, which is not what it takes"
