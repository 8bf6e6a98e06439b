"""Numbers, days and labels as each language writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

#: Between thousands; before and after that the decimal sign; between number and percent sign.
_NUMBERS: Final = {"en": (",", ".", ""), "fr": ("\u202f", ",", "\u202f"), "es": ("\u202f", ",", "\u202f")}
_MONTHS: Final = {
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "fr": ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."],
    "es": ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"],
}


def number(value: int, language: str) -> str:
    """A whole number: `12,345`, `12 345`. In Spanish four digits stay together."""
    thousands, _, _ = _NUMBERS[language]
    if language == "es" and abs(value) < 10_000:
        return str(value)
    return f"{value:,}".replace(",", thousands)


def percent(part: int, whole: int, language: str) -> str:
    """A share with one digit: `12.5%`, `12,5 %`; a dash of nothing. What is not all is never written as 100."""
    if not whole:
        return "–"
    _, point, before = _NUMBERS[language]
    share = 100 * part / whole
    rounded = share if part in (0, whole) else min(max(share, 0.1), 99.9)
    return f"{rounded:.1f}".replace(".", point) + before + "%"


def day(value: date, language: str, *, year: bool = True) -> str:
    """`21 Nov 2026`."""
    month = _MONTHS[language][value.month - 1]
    return f"{value.day} {month} {value.year}" if year else f"{value.day} {month}"


def month(value: date, language: str) -> str:
    """`Nov 2026`."""
    return f"{_MONTHS[language][value.month - 1]} {value.year}"


def in_language(texts: Mapping[str, str], language: str, otherwise: str = "") -> str:
    """The text in a language (`fr` or `Français (fr)`), else English, else the first there is, on one line."""
    keys = [key for wanted in (language, "en") for key in texts if key == wanted or key.endswith(f"({wanted})")]
    return " ".join(next((texts[key] for key in [*keys, *texts] if texts[key].strip()), otherwise).split())
