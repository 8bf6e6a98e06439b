"""A pattern in Java's syntax → the same in Python's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final, NoReturn

from dialogkit.logic.parse import NotDecidable

_ENDS: Final = "\\n\\r\\u0085\\u2028\\u2029"
_PLAIN: Final[Mapping[str, str]] = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
#: Inside of brackets.
_CLASSES: Final[Mapping[str, str]] = {
    "d": "0-9",
    "w": "a-zA-Z0-9_",
    "s": " \\t\\n\\x0b\\f\\r",
    "h": " \\t\\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000",
    "v": "\\n\\x0b\\f\\r\\x85\\u2028\\u2029",
}
_POSIX: Final[Mapping[str, str]] = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": "\\x00-\\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": "!-/:-@\\[-`{-~",
    "Graph": "!-~",
    "Print": " -~",
    "Blank": " \\t",
    "Cntrl": "\\x00-\\x1f\\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": " \\t\\n\\x0b\\f\\r",
    "InBasicLatin": "\\x00-\\x7f",
    "InLatin-1Supplement": "\\x80-\\xff",
    "InArabic": "\\u0600-\\u06ff",
    "InCyrillic": "\\u0400-\\u04ff",
    "InDevanagari": "\\u0900-\\u097f",
    "InEthiopic": "\\u1200-\\u137f",
}
_PREDICATES: Final[Mapping[str, Callable[[str], bool]]] = {
    "IsAlphabetic": str.isalpha,
    "IsLetter": str.isalpha,
    "javaLetter": str.isalpha,
    "IsDigit": str.isdecimal,
}
_END: Final = f"(?=(?:\\r\\n|[{_ENDS}])?\\Z)"
_FLAGS: Final = re.compile(r"\(\?([is]+)\)")
_COUNT: Final = re.compile(r"\{\d+(?:,\d*)?\}")
#: What stands behind a backslash and is no sign.
_SIMPLE: Final[Mapping[str, str]] = {
    "b": "\\b",
    "B": "\\B",
    "A": "\\A",
    "z": "\\Z",
    "Z": _END,
    "R": f"(?:\\r\\n|[{_CLASSES['v']}])",
    **{digit: f"(?:\\{digit})" for digit in "123456789"},
}
_HEX: Final = re.compile(r"u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]{1,6})\}")
_OCTAL: Final = re.compile(r"0([0-3]?[0-7]{1,2})")
_GROUPS: Final = re.compile(r"\(\?(?::|=|!|<=|<!|>|(?=[imsx]+:))")


def translated(pattern: str) -> str:
    """The pattern in Python's syntax, to be matched whole.

    Raises:
        NotDecidable: Java does not know it, or Python cannot say the same.
    """
    return _Reader(pattern).whole()


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.text, self.at = pattern, 0
        self.dot = f"[^{_ENDS}]"

    def whole(self) -> str:
        parts = []
        flags = _FLAGS.match(self.text)
        if flags:
            self.at = flags.end()
            parts.append("(?i)" if "i" in flags[1] else "")
            self.dot = "[\\s\\S]" if "s" in flags[1] else self.dot
        while self.at < len(self.text):
            parts.append(self.part())
        return "".join(parts)

    def part(self) -> str:
        sign = self.text[self.at]
        larger = {"\\": self.escape, "[": self.brackets, "{": self.count}
        if self.text.startswith("(?", self.at):
            return self.group()
        if sign in larger:
            return larger[sign]()
        self.at += 1
        fixed = {".": self.dot, "$": _END, "^": "\\A"}
        if sign in fixed:
            return fixed[sign]
        return sign if sign in "()|*+?" else re.escape(sign)

    def refuse(self, what: str) -> NoReturn:
        raise NotDecidable(f"regex(): {what}")

    def group(self) -> str:
        found = _GROUPS.match(self.text, self.at)
        if found:
            self.at = found.end()
            return found.group()
        name = re.compile(r"\(\?<([a-zA-Z][a-zA-Z0-9]*)>").match(self.text, self.at)
        if not name:
            self.refuse("the pattern has a group that is not read here")
        self.at = name.end()
        return f"(?P<{name[1]}>"

    def count(self) -> str:
        found = _COUNT.match(self.text, self.at)
        if not found:
            self.refuse("the pattern has a brace that is no count: phones stop there")
        self.at = found.end()
        return found.group()

    def escape(self) -> str:
        """What stands behind a backslash outside of brackets."""
        sign = self.text[self.at + 1 : self.at + 2]
        if sign in _CLASSES or sign.lower() in _CLASSES or sign in ("p", "P"):
            inside, negated = self.known()
            return f"[{'^' if negated else ''}{inside}]"
        if sign == "Q":
            return self.quoted()
        if sign == "k":
            return self.again()
        if sign not in _SIMPLE:
            return re.escape(self.literal())
        self.at += 2
        return _SIMPLE[sign]

    def again(self) -> str:
        """What a named group found."""
        found = re.compile(r"k<([a-zA-Z][a-zA-Z0-9]*)>").match(self.text, self.at + 1)
        if not found:
            self.refuse("the pattern names a group wrongly")
        self.at = found.end()
        return f"(?P={found[1]})"

    def quoted(self) -> str:
        end = self.text.find("\\E", self.at + 2)
        end = len(self.text) if end < 0 else end
        inside = self.text[self.at + 2 : end]
        self.at = min(end + 2, len(self.text))
        return re.escape(inside)

    def literal(self) -> str:
        """One sign written with a backslash."""
        self.at += 1
        for found in (_HEX.match(self.text, self.at), _OCTAL.match(self.text, self.at)):
            if found:
                self.at = found.end()
                digits = next(one for one in found.groups() if one)
                return chr(int(digits, 8 if found.re is _OCTAL else 16))
        sign = self.text[self.at : self.at + 1]
        self.at += 1
        if sign in _PLAIN:
            return _PLAIN[sign]
        if not sign or (sign.isascii() and sign.isalnum()):
            self.refuse("the pattern has a backslash before a sign that phones do not know there")
        return sign

    def known(self) -> tuple[str, bool]:
        """A set that has a name: what it is inside of brackets, and whether all others are meant."""
        sign = self.text[self.at + 1]
        self.at += 2
        if sign not in "pP":
            return _CLASSES[sign.lower()], sign.isupper()
        found = re.compile(r"\{(\^?)([\w\-=]+)\}|()([A-Z])").match(self.text, self.at)
        if not found:
            self.refuse("the pattern names a set of signs wrongly")
        self.at = found.end()
        return _named(found[2] or found[4]), (sign == "P") != bool(found[1])

    def brackets(self) -> str:
        """A set of signs; `&&` keeps the signs that are in both."""
        self.at += 1
        negated = self.text.startswith("^", self.at)
        self.at += negated
        parts = [self.members()]
        while self.text.startswith("&&", self.at):
            self.at += 2
            parts.append(self.members())
        if not self.text.startswith("]", self.at):
            self.refuse("the pattern has a bracket without its end")
        self.at += 1
        if len(parts) == 1:
            return f"[^{parts[0][1:]}" if negated and not parts[0].startswith("[^") else self.turned(parts[0], negated)
        both = "".join(f"(?={part})" for part in parts[:-1]) + parts[-1]
        return f"(?:(?!{both})[\\s\\S])" if negated else f"(?:{both})"

    @staticmethod
    def turned(part: str, negated: bool) -> str:
        return part if not negated else f"[{part[2:]}"

    def members(self) -> str:
        """What stands between the brackets, up to their end or `&&`, as a set of Python's."""
        inside: list[str] = []
        others: list[str] = []
        while self.at < len(self.text) and not self.text.startswith("&&", self.at):
            sign = self.text[self.at]
            if sign == "]" and (inside or others):
                break
            if sign == "[":
                nested = self.brackets()
                (others if nested.startswith(("(", "[^")) else inside).append(nested)
            elif sign == "\\" and self.text[self.at + 1 : self.at + 2].lower() in {*_CLASSES, "p"}:
                found, negated = self.known()
                (others if negated else inside).append(f"[{'^' if negated else ''}{found}]")
            else:
                inside.append(f"[{self.span()}]")
        if others and len(others) + len(inside) > 1:
            self.refuse("the pattern has a set of signs within a set that is not read here")
        return others[0] if others else f"[{''.join(part[1:-1] for part in inside)}]"

    def span(self) -> str:
        """One sign, or from one to another."""
        first = self.member()
        if self.text[self.at : self.at + 1] != "-" or self.text[self.at + 1 : self.at + 2] in ("]", "[", ""):
            return _escaped(first)
        self.at += 1
        return f"{_escaped(first)}-{_escaped(self.member())}"

    def member(self) -> str:
        if self.text[self.at] == "\\":
            return self.literal()
        self.at += 1
        return self.text[self.at - 1]


def _escaped(sign: str) -> str:
    return f"\\{sign}" if sign in "\\]^-[&~|" else sign


@cache
def _named(name: str) -> str:
    r"""The signs of `\\p{…}` as they stand inside of brackets."""
    if name in _POSIX:
        return _POSIX[name]
    key = name.removeprefix("general_category=").removeprefix("gc=")
    if name not in _PREDICATES and len(key) == 3 and key.startswith("Is"):
        key = key[2:]
    belongs = _PREDICATES.get(name) or _category(key)
    ranges, start = [], -1
    for code in range(0x110001):
        inside = code < 0x110000 and not 0xD800 <= code < 0xE000 and belongs(chr(code))
        if inside and start < 0:
            start = code
        elif not inside and start >= 0:
            ranges.append(f"\\U{start:08x}-\\U{code - 1:08x}")
            start = -1
    return "".join(ranges)


def _category(key: str) -> Callable[[str], bool]:
    if not re.fullmatch(r"[LMNPSZC][a-z]?", key):
        raise NotDecidable("regex(): the pattern names a set of signs that is not read here")
    return lambda sign: unicodedata.category(sign).startswith(key)
