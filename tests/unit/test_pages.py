"""Pages in small: numbers, days, labels, markup, charts, and what is held back of small groups."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

import pytest

from dialogkit.model.correction import State
from dialogkit.model.report_page import Bar
from dialogkit.validate.logic_rules import KINDS
from dialogkit.validate.pages.charts import Stack, scale, stacked
from dialogkit.validate.pages.fix_list import quotes_question, short_ids
from dialogkit.validate.pages.fix_words import fix_words, what_to_do
from dialogkit.validate.pages.html import Html, el, join, outside
from dialogkit.validate.pages.report_form import STATE_WORDS
from dialogkit.validate.pages.speech import in_language, number, percent
from dialogkit.validate.pages.words import words
from dialogkit.warehouse.report_facts import joined_bars
from dialogkit.warehouse.report_groups import Counted, guarded


@pytest.mark.parametrize(
    ("value", "english", "french", "spanish"),
    [
        (0, "0", "0", "0"),
        (1234, "1,234", "1\u202f234", "1234"),
        (1234567, "1,234,567", "1\u202f234\u202f567", "1\u202f234\u202f567"),
    ],
)
def test_numbers_are_written_as_in_the_language(value, english, french, spanish):
    assert [number(value, language) for language in ("en", "fr", "es")] == [english, french, spanish]


def test_a_share_is_zero_or_all_only_when_it_is():
    assert [percent(part, 10_000, "en") for part in (0, 1, 5000, 9999, 10_000)] == [
        "0.0%",
        "0.1%",
        "50.0%",
        "99.9%",
        "100.0%",
    ]
    assert percent(1, 3, "es") == "33,3\u202f%"
    assert percent(0, 0, "en") == "–"


def test_a_label_is_taken_in_the_language_else_in_english_else_as_it_is():
    labels = {"Français (fr)": "Pays", "English (en)": "Country", "": "x"}
    assert in_language(labels, "fr") == "Pays"
    assert in_language(labels, "es") == "Country"
    assert in_language({"": "two\n lines"}, "es") == "two lines"
    assert in_language({"fr": " "}, "fr", "name") == "name"


def test_only_what_was_made_as_markup_is_markup():
    assert el("td", "<b>&", class_='"x"') == '<td class="&quot;x&quot;">&lt;b&gt;&amp;</td>'
    assert el("p", [el("b", "x")], id_=None) == "<p><b>x</b></p>"
    assert join("<", Html("<i>")) == "&lt;<i>"
    assert outside("a\x00\u202eb") == '<bdi dir="auto">a \u202eb</bdi>'


def test_text_between_pieces_of_markup_stays_text():
    with_plain = el("b", "x") + "<script>"
    assert not isinstance(with_plain, Html)
    assert "<script>" not in el("p", with_plain)


def group(name: str, submissions: int, held: int, **rules: int) -> Counted:
    return Counted({"": name}, submissions, held, {name.replace("_", "-"): count for name, count in rules.items()})


def told(*groups: Counted, smallest: int = 5) -> list[tuple[str, object, object, int]]:
    found = guarded(groups, smallest)
    return [(one.labels.get("", ""), one.submissions, one.held, one.joined) for one in found]


def test_large_groups_are_told():
    assert told(group("A", 9, 6), group("B", 20, 5)) == [("B", 20, 5, 0), ("A", 9, 6, 0)]


def test_small_groups_are_joined_until_none_can_be_worked_out():
    assert told(group("A", 20, 9), group("B", 4, 0), group("C", 3, 0)) == [
        ("A", 20, 9, 0),
        ("", 7, "fewer", 2),
    ]
    # One alone would be the total less the others.
    assert told(group("A", 20, 9), group("B", 8, 7), group("C", 3, 0)) == [("A", 20, 9, 0), ("", 11, 7, 2)]
    # So would two of one each.
    assert told(group("A", 20, 9), group("B", 8, 7), group("C", 1, 0), group("D", 1, 0))[1:] == [("", 10, 7, 3)]
    assert told(group("A", 3, 3)) == [("", "fewer", "fewer", 1)]


def test_a_small_number_of_held_is_not_told_nor_one_that_would_tell_it():
    # 2 are held in B: with the total of the form, A would tell it.
    assert told(group("A", 20, 9), group("B", 8, 2), group("C", 8, 7)) == [
        ("A", 20, 9, 0),
        ("B", 8, "fewer", 0),
        ("C", 8, "untold", 0),
    ]
    assert told(group("A", 20, 9), group("B", 8, 0)) == [("A", 20, 9, 0), ("B", 8, "fewer", 0)]
    assert told(group("A", 20, 1), group("B", 8, 3), group("C", 8, 7))[2] == ("C", 8, 7, 0)


def test_rules_of_a_small_group_are_named_only_when_enough_break_them():
    (one,) = guarded([group("A", 9, 6, R_1=4, R_2=5, R_3=9)], 5)
    assert one.often == ("R-3", "R-2")


def test_without_a_smallest_number_everything_is_told():
    assert told(group("A", 1, 1), group("B", 2, 0), smallest=0) == [("B", 2, 0, 0), ("A", 1, 1, 0)]


@pytest.mark.parametrize(
    ("count", "unit", "bars"), [(30, "run", 30), (31, "day", 16), (200, "week", 15), (1000, "month", 17)]
)
def test_many_runs_are_joined_and_nothing_is_lost(count, unit, bars):
    runs = [Bar(date(2025, 1, 1) + timedelta(days=n // 2), 1, 2, 3, 4) for n in range(count)]
    found, joined = joined_bars(runs)
    assert (found, len(joined)) == (unit, bars)
    for field in ("accepted", "held", "refused", "violations"):
        assert sum(getattr(bar, field) for bar in joined) == sum(getattr(bar, field) for bar in runs)


def test_of_very_many_months_the_last_are_shown():
    runs = [Bar(date(2015 + n // 12, n % 12 + 1, 3), 1, 0, 0, 0) for n in range(60)]
    _, joined = joined_bars(runs)
    assert [joined[0].begins, joined[-1].begins, len(joined)] == [date(2017, 7, 1), date(2019, 12, 1), 30]


@pytest.mark.parametrize(
    ("largest", "top"), [(0, 2), (1, 2), (3, 4), (7, 10), (10, 20), (41, 60), (999, 1000), (1001, 2000)]
)
def test_a_scale_holds_the_largest_and_has_a_whole_half(largest, top):
    assert scale(largest) == top


def test_the_parts_of_a_column_stand_on_each_other():
    drawn = stacked("c", "T", "About", [Stack("1 Nov", (("accepted", 3), ("held", 1)))], [("held", "Held")], ["2", "4"])
    assert '<rect x="352" y="66" width="48" height="114" class="accepted"/>' in drawn
    assert '<rect x="352" y="28" width="48" height="38" class="held"/>' in drawn


def test_short_ids_are_as_long_as_it_takes_to_tell_them_apart():
    assert short_ids(["uuid:12345678-a", "uuid:87654321-b"]) == {
        "uuid:12345678-a": "12345678",
        "uuid:87654321-b": "87654321",
    }
    assert short_ids(["uuid:12345678-a1", "uuid:12345678-b2"])["uuid:12345678-b2"] == "12345678-b"


@pytest.mark.parametrize(
    ("said", "label", "rule", "quotes"),
    [
        ("“Date”: the answer is not one that the form allows.", "Date", "FORM-CONSTRAINT:d", True),
        ("« Date » : le formulaire n’accepte pas cette réponse.", "Date", "FORM-CONSTRAINT:d", True),
        ("«Fecha» es obligatoria.", "Fecha", "FORM-REQUIRED:d", True),
        ("“Date of the first…” is empty.", "Date of the first day", "FORM-REQUIRED:d", True),
        ("“D” is empty.", "Date", "FORM-REQUIRED:d", False),
        ("“How old are you?” is empty.", "¿Qué edad tiene?", "FORM-REQUIRED:d", False),
        ("The date is wrong.", "Date", "RULE-1", False),
        ("“Questions put to the group” has more or fewer entries.", "", "FORM-COUNT:rep_question", True),
        ("Say “no”.", "", "RULE-1", False),
        ("Too many.", "", "FORM-COUNT:rep_question", False),
    ],
)
def test_a_message_that_quotes_its_question_needs_no_label_before_it(said, label, rule, quotes):
    assert quotes_question(said, label, rule) is quotes


def test_there_is_something_to_do_for_every_rule():
    words = fix_words("en")
    for kind in ("FORM-TYPE", "FORM-CHOICE", *KINDS):
        assert what_to_do(words, f"{kind}:a") not in (words["do other"], words["team"]), kind
    assert what_to_do(words, "FORM-REQUIRED:a/b") == "Answer the question."
    assert what_to_do(words, "FORM-FILTER:a") == what_to_do(words, "FORM-CHOICE:a")
    assert what_to_do(words, "FORM-SEALED:no key") == words["team"]
    assert what_to_do(words, "RULE-004") == words["do other"]


@pytest.mark.parametrize("language", ["en", "fr", "es"])
def test_every_state_of_a_correction_has_words(language):
    assert {STATE_WORDS.get(state, state) for state in get_args(State)} <= words(language).keys()
