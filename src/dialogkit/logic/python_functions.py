"""The functions of the ODK XForms specification that Python computes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dialogkit.logic.python_date import DATES
from dialogkit.logic.python_geo import PLACES
from dialogkit.logic.python_known import Known
from dialogkit.logic.python_number import NUMBERS
from dialogkit.logic.python_text import TEXTS

FUNCTIONS: Final[Mapping[str, Known]] = {**TEXTS, **NUMBERS, **DATES, **PLACES}

#: Functions that `evaluate` computes itself: not all their arguments are computed first, or they need their place.
SPECIAL: Final = frozenset({"if", "coalesce", "once", "version"})
