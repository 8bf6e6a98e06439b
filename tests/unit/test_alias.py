"""Aliases: names that Stata, SPSS, SAS and R all take."""

from __future__ import annotations

import random
import re

import pytest

from dialogkit.normalize.alias import alias_of

VALID = re.compile(r"[A-Za-z]([A-Za-z0-9_]{0,30}[A-Za-z0-9])?")


def aliases(*names: str) -> list[str]:
    taken: set[str] = set()
    return [alias_of(name, taken) for name in names]


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("country", "country"),
        ("Country_2", "Country_2"),
        ("âge_élève", "age_eleve"),
        ("Straße_Øst_cœur", "Strasse_Ost_coeur"),
        ("a-b.c d", "a_b_c_d"),
        ("g__q", "g__q"),
        ("_hidden_", "hidden"),
        ("ends.", "ends"),
        ("12_months", "q12_months"),
        ("年齢", "q1"),
        ("год", "q1"),
        ("年齢_age", "age"),
        ("_", "q1"),
        ("", "q1"),
        ("a" * 32, "a" * 32),
    ],
)
def test_an_alias_is_the_name_in_plain_letters(name: str, alias: str) -> None:
    assert aliases(name) == [alias]


@pytest.mark.parametrize(
    "word",
    [
        *("if", "IN", "using", "with", "byte", "int", "long", "float", "double", "str20", "strL"),  # Stata
        *("ALL", "and", "by", "eq", "ge", "gt", "le", "lt", "ne", "not", "or", "to"),  # SPSS
        *("else", "repeat", "while", "function", "for", "next", "break"),  # R
        *("TRUE", "FALSE", "NULL", "Inf", "NaN", "NA"),
    ],
)
def test_a_reserved_word_is_no_alias(word: str) -> None:
    assert aliases(word) == [f"q_{word}"]


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    (alias,) = aliases("g_main__g_event__barriers__what_stood_in_the_way")
    assert alias == "g_main__g_e_hat_stood_in_the_way"
    assert len(alias) <= 32


def test_aliases_are_unique_without_case_and_stay_short() -> None:
    long = "a_question_with_a_very_long_name_of_"
    found = aliases("q", "Q", "q_2", "q", "質問", "年齢", *(f"{long}{end}{long}" for end in "abcdefghijkl"))
    assert found[:6] == ["q", "Q_2", "q_2_2", "q_3", "q1", "q2"]
    assert len({alias.lower() for alias in found}) == len(found)
    assert all(len(alias) <= 32 for alias in found)


def test_an_alias_depends_on_the_name_and_on_what_is_taken_only() -> None:
    names = ["Straße", "年齢", "if", "x" * 200, "X" * 200]
    assert aliases(*names) == aliases(*names)
    assert alias_of("age", {"age"}) == "age_2"


def test_any_name_has_a_valid_alias() -> None:
    chance = random.Random(4)
    letters = "abzAZ09__--..  éß年Ж\0\"'/\\🙂ﬁ²\u0301"
    names = ["".join(chance.choices(letters, k=chance.randint(0, 60))) for _ in range(3000)]
    found = aliases(*names)
    assert [alias for alias in found if not VALID.fullmatch(alias)] == []
    assert len({alias.lower() for alias in found}) == len(names)
