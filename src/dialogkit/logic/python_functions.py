"""Every function of the ODK XForms specification, as far as stored answers decide it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dialogkit.logic.python_date import DATES
from dialogkit.logic.python_geo import PLACES
from dialogkit.logic.python_known import Known
from dialogkit.logic.python_number import NUMBERS
from dialogkit.logic.python_text import TEXTS

FUNCTIONS: Final[Mapping[str, Known]] = {**TEXTS, **NUMBERS, **DATES, **PLACES}

#: Functions whose arguments are not all computed first, or that need their place; `bind` and `evaluate` read them.
SPECIAL: Final = frozenset(
    {
        "if",
        "coalesce",
        "once",
        "version",
        "position",
        "indexed-repeat",
        "jr:choice-name",
        "pulldata",
        "instance",
        "current",
    }
)

#: Why these cannot be decided on stored answers.
UNDECIDABLE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("random", "uuid", "randomize"), "its value is made by chance on the phone"),
    **dict.fromkeys(("property", "get-property"), "it is a property of the phone, which is not stored"),
    "jr:itext": "it is a text of the form in the language of the phone, which is not stored",
    "last-saved": "it is an answer of the submission before, which is not stored with this one",
    "intersects": "the engine that it is tested against (JavaRosa 5.1) does not know it",
}


def refused(name: str) -> str:
    """Why a function that is not in `FUNCTIONS` or `SPECIAL` cannot be decided."""
    why = UNDECIDABLE.get(name)
    return f"{name}(): {why}" if why else f"{name}() is not a function that phones know"
