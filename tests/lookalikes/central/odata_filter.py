"""The part of OData's $filter that Central understands, as a test on a submission."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from .problems import Refused, internal
from .records import Submission
from .store import iso

_TOKEN: Final = re.compile(
    r"(?P<open>\()|(?P<close>\))|(?P<comma>,)"
    r"|(?P<date>\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?)"
    r"|(?P<number>-?\d+(\.\d+)?)"
    r"|(?P<text>'(?:[\w\-.~!()*+,;$&=:@%]|'')*')"
    r"|(?P<word>[$A-Za-z_][\w$./-]*)"
)
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
}
_FIELDS: Final[dict[str, Callable[[Submission], Any]]] = {
    "__id": operator.attrgetter("id"),
    "__system/submissionDate": operator.attrgetter("created_at"),
    "__system/updatedAt": operator.attrgetter("updated_at"),
    "__system/deletedAt": operator.attrgetter("deleted_at"),
    "__system/reviewState": operator.attrgetter("review"),
    "__system/submitterId": lambda each: each.first.submitter.id if each.first.submitter else None,
}
_PIECES: Final = {
    "year": (0, 4),
    "month": (5, 7),
    "day": (8, 10),
    "hour": (11, 13),
    "minute": (14, 16),
    "second": (17, 19),
}

Test = Callable[[Submission], bool]
Value = Callable[[Submission], Any]


@dataclass(frozen=True)
class Filter:
    """A test on submissions; `ids`, where it can only be true of these; whether it speaks of deleted rows."""

    test: Test
    ids: frozenset[str] | None
    with_deleted: bool


@dataclass(frozen=True)
class _Term:
    value: Value
    field: str = ""
    constant: Any = None


def read_filter(text: str, *, rooted: bool = False) -> Filter:
    """The filter in `text`; `rooted`: of a repeat, whose filters name the submission `$root/Submissions`.

    Raises:
        Refused: it cannot be read, or names a field that Central does not filter by.
    """
    if re.fullmatch(r"\w+", text):
        message = "The given OData filter expression uses features not supported by this server: "
        details = {"at": 0, "type": "CommonExpression", "text": text}
        raise Refused(501.4, f'{message}CommonExpression at 0 ("{text}")', details)
    reader = _Reader(text, "$root/Submissions/" if rooted else "")
    test, ids = reader.either()
    reader.end()
    return Filter(test, ids, "__system/deletedAt" in text)


def sort_by(rows: list[Submission], text: str) -> list[Submission]:
    """Rows in the order of $orderby; those without a value come last.

    Raises:
        Refused: Central does not sort by that field.
    """
    for part in reversed(text.split(",")):
        name, _, way = part.strip().partition(" ")
        if name not in _FIELDS:
            message = "The given OData orderby expression references fields not supported by this server: "
            raise Refused(501.5, f"{message}{name} at 0", {"at": 0, "text": name})
        value = _FIELDS[name]
        known = sorted((each for each in rows if value(each) is not None), key=value, reverse=way.strip() == "desc")
        rows = known + [each for each in rows if value(each) is None]
    return rows


class _Reader:
    def __init__(self, text: str, prefix: str) -> None:
        self._text = text
        self._prefix = prefix
        self._at = 0

    def either(self) -> tuple[Test, frozenset[str] | None]:
        branches = [self._both()]
        while self._word("or"):
            branches.append(self._both())
        if len(branches) == 1:
            return branches[0]
        tests = [test for test, _ in branches]
        known = [ids for _, ids in branches]
        ids = None if None in known else frozenset[str]().union(*(each for each in known if each is not None))
        return (lambda each: any(test(each) for test in tests)), ids

    def end(self) -> None:
        self._skip()
        if self._at < len(self._text):
            raise _unreadable(self._at)

    def _both(self) -> tuple[Test, frozenset[str] | None]:
        branches = [self._one()]
        while self._word("and"):
            branches.append(self._one())
        if len(branches) == 1:
            return branches[0]
        tests = [test for test, _ in branches]
        known: Iterable[frozenset[str]] = [ids for _, ids in branches if ids is not None]
        ids = frozenset.intersection(*known) if known else None
        return (lambda each: all(test(each) for test in tests)), ids

    def _one(self) -> tuple[Test, frozenset[str] | None]:
        if self._word("not"):
            test, _ = self._one()
            return (lambda each: not test(each)), None
        if self._take("open"):
            inside = self.either()
            if not self._take("close"):
                raise _unreadable(self._at)
            return inside
        return self._comparison()

    def _comparison(self) -> tuple[Test, frozenset[str] | None]:
        try:
            left = self._term()
        except _NoTerm:
            raise _unreadable(self._at) from None
        after = self._at
        name = self._take("word")
        compare = _COMPARE.get(name)
        try:
            right = self._term() if compare else None
        except _NoTerm:
            right = None
        if compare is None or right is None:
            # The real parser gives up before the operator when it cannot read what follows it.
            raise _unreadable(after)
        ids = frozenset({str(right.constant)}) if left.field == "__id" and name == "eq" else None
        return _compared(compare, left.value, right.value, exact=name in {"eq", "ne"}), ids

    def _term(self) -> _Term:
        self._skip()
        at = self._at
        if date := self._take("date"):
            moment = datetime.fromisoformat(date)
            known = iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
            return _Term(lambda _: known, constant=known)
        if number := self._take("number"):
            amount = int(float(number))
            return _Term(lambda _: amount, constant=amount)
        if quoted := self._take("text"):
            text = quoted[1:-1].replace("''", "'")
            return _Term(lambda _: text, constant=text)
        word = self._take("word")
        if not word:
            raise _NoTerm
        return self._named(word, at)

    def _named(self, word: str, at: int) -> _Term:
        if word == "null":
            return _Term(lambda _: None)
        if self._take("open"):
            return self._called(word, at)
        field = word.removeprefix(self._prefix)
        if field not in _FIELDS or not word.startswith(self._prefix):
            message = "The given OData filter expression references fields not supported by this server: "
            raise Refused(501.5, f"{message}{word} at {at}", {"at": at, "text": word})
        return _Term(_FIELDS[field], field)

    def _called(self, word: str, at: int) -> _Term:
        if word == "now":
            raise internal()  # as the real one does
        if word not in _PIECES:
            raise Refused(501.4, f"The given OData filter expression uses unsupported functions: {word} at {at}")
        inside = self._term()
        if not self._take("close"):
            raise _unreadable(self._at)
        first, last = _PIECES[word]

        def piece(each: Submission) -> Any:
            known = inside.value(each)
            return None if known is None else int(known[first:last])

        return _Term(piece)

    def _skip(self) -> None:
        rest = self._text[self._at :]
        self._at += len(rest) - len(rest.lstrip(" \t"))

    def _peek(self) -> re.Match[str] | None:
        rest = self._text[self._at :]
        return _TOKEN.match(self._text, len(self._text) - len(rest.lstrip(" \t")))

    def _take(self, kind: str) -> str:
        found = self._peek()
        if found is None or found.group(kind) is None:
            return ""
        self._at = found.end()
        return found.group()

    def _word(self, word: str) -> bool:
        found = self._peek()
        if found is None or found.group() != word:
            return False
        self._at = found.end()
        return True


class _NoTerm(Exception):  # noqa: N818 - a branch of the grammar, not a fault
    pass


def _compared(compare: Callable[[Any, Any], bool], left: Value, right: Value, *, exact: bool) -> Test:
    def test(each: Submission) -> bool:
        one, other = left(each), right(each)
        # SQL: what is not known is neither more nor less than anything.
        return compare(one, other) if exact or (one is not None and other is not None) else False

    return test


def _unreadable(at: int) -> Refused:
    reason = f"Unexpected character at {at}"
    message = f"The OData filter expression you provided could not be parsed: {reason}"
    return Refused(400.18, message, {"reason": reason})
