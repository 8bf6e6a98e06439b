"""The values of XPath as JavaRosa, the engine of ODK Collect, has them, and its conversions between them.

Source: JavaRosa 5.1, `XPathFuncExpr` (`toNumeric`, `toString`, `toBoolean`) and `IAnswerData.wrapData`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from dialogkit.logic.parse import NotDecidable

#: One value. A date is a moment in the zone of the phone; NaN is a number; a node without an answer is `""`.
Value = str | float | bool | datetime

#: What Java's `trim` takes away.
BLANKS: Final = "".join(map(chr, range(0x21)))
_NUMBER: Final = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_EPOCH: Final = date(1970, 1, 1).toordinal()
_CLOSE: Final = 1e-12
#: Two results that are nearer to one another than this share of their size are one: phones add in other orders.
NEAR: Final = 1e-9
_YES_NO: Final = {"1": True, "true": True, "0": False, "false": False, "": False}
_LONG: Final = 2**63


@dataclass(frozen=True, slots=True)
class NodeSet:
    """Several nodes: what `count`, `sum`, `join` and others take whole.

    Args:
        values: of each node that is relevant; `""` for a row of a repeat, a group and an empty question.
        filled: how many of them hold something: an answer, or other nodes.
    """

    values: Sequence[Value]
    filled: int


Found = Value | NodeSet


def single(found: Found) -> Value:
    """The one value of what was found.

    Raises:
        NotDecidable: there are several nodes: phones stop there with an error of type.
    """
    if not isinstance(found, NodeSet):
        return found
    if len(found.values) > 1:
        raise NotDecidable("a question of a repeat is used from outside it as if it had one answer")
    return found.values[0] if found.values else ""


def listed(found: Found) -> Sequence[Value]:
    """The values of a set of nodes."""
    return found.values if isinstance(found, NodeSet) else (found,)


def to_number(value: Value) -> float:
    """XPath `number()`: a text takes a comma for a point and no exponent; a date is the number of its day."""
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    if isinstance(value, float):
        return value
    if isinstance(value, datetime):
        return float(value.toordinal() - _EPOCH)
    text = value.replace(",", ".").strip(BLANKS)
    return float(text) if _NUMBER.fullmatch(text) else math.nan


def to_boolean(value: Value) -> bool:
    """XPath `boolean()`."""
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return abs(value) > _CLOSE
    return value != ""


def to_text(value: Value) -> str:
    """XPath `string()`: a whole number without a point, a date without its time."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value.year}-{value.month:02}-{value.day:02}"
    whole = as_int(value)
    return str(whole) if abs(value - whole) < _CLOSE else java_text(value)


def to_int(value: Value) -> float:
    """The number without its fraction; NaN and the infinite stay."""
    number = to_number(value)
    return float(math.trunc(number)) if math.isfinite(number) else number


def as_int(number: float) -> int:
    """A Java `int`: NaN is 0, what is beyond 32 bits the outermost."""
    if math.isnan(number):
        return 0
    return math.trunc(min(max(number, -(2.0**31)), 2.0**31 - 1))


def java_text(number: float) -> str:
    """A number as Java's `Double.toString` writes it."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "-0.0" if math.copysign(1, number) < 0 else "0.0"
    sign, digits, exponent = _decimal(number)
    if -3 <= exponent < 7:
        padded = digits.ljust(exponent + 2, "0") if exponent >= 0 else "0" * -exponent + digits
        point = max(exponent, 0) + 1
        return f"{sign}{padded[:point]}.{padded[point:] or '0'}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def _decimal(number: float) -> tuple[str, str, int]:
    """Sign, digits and the exponent of the first digit."""
    mantissa, _, exponent = f"{abs(number)!r}e0".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    place = len(whole) - 1 + int(exponent.partition("e")[0])
    stripped = digits.lstrip("0")
    place -= len(digits) - len(stripped)
    return "-" if number < 0 else "", stripped.rstrip("0") or "0", place


def equal(left: Value, right: Value) -> bool:
    """XPath `=`: by yes or no, else by number with a tolerance, else by text."""
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if isinstance(left, bool) or isinstance(right, bool):
        return to_boolean(left) == to_boolean(right)
    if isinstance(left, float) or isinstance(right, float):
        return abs(to_number(left) - to_number(right)) < _CLOSE
    return to_text(left) == to_text(right)


def _moment_text(value: datetime) -> str:
    """A moment as ISO 8601 with milliseconds and the offset of its zone, as phones store it."""
    clock = f"{value.hour:02}:{value.minute:02}:{value.second:02}.{value.microsecond // 1000:03}"
    return f"{to_text(value)}T{clock}{_offset_text(value)}"


def _offset_text(value: datetime) -> str:
    """`Z`, or the offset of the zone: `+03:00`."""
    offset = value.utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    if not minutes:
        return "Z"
    return f"{'+' if minutes > 0 else '-'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def stored(value: Value, kind: str) -> tuple[str, Value]:
    """What a phone keeps of a computed value: the text in the instance, and the value that others read.

    Args:
        value: what the calculation gave.
        kind: of the question, as in `answers.KINDS`.
    """
    if value == "" or (isinstance(value, float) and math.isnan(value)):
        return "", ""
    if isinstance(value, bool):
        return ("1" if value else "0"), value
    if isinstance(value, float):
        return _stored_number(value, kind)
    if isinstance(value, datetime):
        return _stored_moment(value, kind)
    return value, value


def _stored_number(value: float, kind: str) -> tuple[str, Value]:
    whole = math.trunc(min(max(value, float(-_LONG)), float(_LONG)))
    whole = min(max(whole, -_LONG), _LONG - 1)
    if kind == "int":
        return str(as_int(value)), float(as_int(value))
    if abs(value - whole) < 1e-9:
        return str(whole), float(whole)
    return java_text(value), value


def _stored_moment(value: datetime, kind: str) -> tuple[str, Value]:
    if kind == "date":
        midnight = value.replace(hour=0, minute=0, second=0, microsecond=0)
        return to_text(midnight), midnight
    text = _moment_text(value)
    return (text.partition("T")[2] if kind == "time" else text), value


def counted(value: Value) -> int:
    """The number of rows that a count asks for (`AnswerDataUtil.answerDataToInt`)."""
    if isinstance(value, str):
        return math.floor(float(value)) if re.fullmatch(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)", value) else 0
    if isinstance(value, bool) or not isinstance(value, float):
        return 0
    return math.floor(min(max(value, -(2.0**31)), 2.0**31 - 1))


def same_value(stored: str, made: str) -> bool:
    """Whether two texts of a calculation mean one value, which phones write in several ways."""
    if stored.strip() == made.strip():
        return True
    if stored.lower() in _YES_NO and made.lower() in _YES_NO and {stored, made} - {"0", "1"}:
        return _YES_NO[stored.lower()] == _YES_NO[made.lower()] and "" not in (stored, made)
    if len(made) > 10 and made[10] == "T":
        return stored[:10] == made[:10]
    try:
        return math.isclose(float(stored), float(made), rel_tol=NEAR, abs_tol=NEAR)
    except ValueError:
        return False
