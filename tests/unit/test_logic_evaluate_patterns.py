"""Patterns in Java's syntax, matched in Python (every answer here was asked of Java 17)."""

from __future__ import annotations

import time

import pytest

from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.patterns import matches

EMAIL = r"\w+([.-]?\w+)*@\w+([.-]?\w+)*(\.\w{2,3})+"


@pytest.mark.parametrize(
    ("pattern", "fits", "other"),
    [
        ("a", "a", "ab"),
        (r"^\d{3}$", "123", "١٢٣"),
        (r"\w+", "abc_1", "é"),
        (r"(?=.*\d)(?=.*[a-z]).{4,}", "abcd1", "abcde"),
        (r"\p{L}+", "الاسم", "a1"),
        (r"[\p{L} ]+", "Été x", "a-b"),
        (r"\P{L}+", "12", "a"),
        (r"\p{Lu}.*", "Été", "été"),
        (r"\pL+", "é", "1"),
        (r"\p{Punct}+", "[.]", "a"),
        (r"\p{InArabic}+", "الاسم", "abc"),
        (r"[a-z&&[^bc]]+", "ad", "ab"),
        (r"[^a-z&&[def]]", "a", "d"),
        (r"[a-c[x-z]]+", "ax", "m"),
        (r"[]a]+", "]a", "b"),
        (r"[a-]+", "a-", "b"),
        (r"a++b", "aab", "aa"),
        (r"(?>a+)b", "aab", "b"),
        (r"\Qa.b\E", "a.b", "axb"),
        (r"\x41\u0042\0103\t", "ABC\t", "ABC"),
        (r"(?<n>a)\k<n>\1", "aaa", "aa"),
        (r"(?i)ABC", "abc", "abd"),
        (r"(?s).*", "a\nb", None),
        (r".*", "ab", "a\nb"),
        (r"\h+", "\u00a0\t", "a"),
        (r"a\R", "a\r\n", "a"),
        (r"[^\d\s]+", "ab", "a b"),
        (r"\bfoo\b", "foo", "food"),
        (r"a\Z", "a", "b"),
        (r"[\[\]]+", "[]", "x"),
        (EMAIL, "some.one@mail.co.uk", "x@"),
    ],
)
def test_a_pattern_means_what_it_means_in_java(pattern: str, fits: str, other: str | None) -> None:
    assert matches(pattern, fits)
    assert other is None or not matches(pattern, other)


@pytest.mark.parametrize(
    "pattern",
    [
        "[",
        "(",
        "a{,3}",
        "{a}",
        r"\y",
        r"a(?i)B",
        r"\p{IsArabic}",
        "[a[^b]]",
        r"(?<=a+)b",
        "a" * 6000,
        "\\",
        r"\p{",
        r"\k<",
    ],
)
def test_a_pattern_that_cannot_be_said_is_not_decidable(pattern: str) -> None:
    with pytest.raises(NotDecidable):
        matches(pattern, "ab")


def test_no_pattern_takes_for_ever() -> None:
    start = time.process_time()
    assert not matches("(a+)+b", "a" * 5000)
    assert not matches("(a|a)*c", "a" * 5000)
    assert not matches(EMAIL, "a" * 3000)
    with pytest.raises(NotDecidable, match="for ever"):
        matches("(?!x)(a+)+b", "a" * 5000)
    assert time.process_time() - start < 5
