"""Calculations over the answers of one submission."""

from __future__ import annotations

from datetime import date

from dialogkit.logic.calculate import calculated
from dialogkit.model.form import Form, Question, Section
from dialogkit.model.submission import Answers

TODAY = date(2026, 11, 21)


def form(*questions: Question, sections: tuple[Section, ...] = ()) -> Form:
    return Form("f", "1", "F", (), "", questions, sections, {})


def asks(path: str, kind: str = "text", **logic: str) -> Question:
    return Question(name=path.rsplit("/", 1)[-1], path=path, type=kind, **logic)


def gives(path: str, calculation: str, **logic: str) -> Question:
    return asks(path, "calculate", calculation=calculation, **logic)


CONSENT = form(
    asks("source_ref", "hidden"),
    asks("adult_confirm", "select_one"),
    asks("consent_basis", "select_one"),
    asks("consent_record", "select_one"),
    # before what it needs: the order of the sheet does not matter
    gives(
        "withdraw_code",
        "if(${gate} = 1 and ${source_ref} = '', "
        "once(concat(int(1000 + random() * 9000), '-', int(1000 + random() * 9000))), '')",
    ),
    gives(
        "gate",
        "if((${adult_confirm} = 'yes' and ${consent_record} = 'yes') or "
        "(${consent_basis} = 'public_source' and ${source_ref} != ''), 1, 0)",
    ),
    asks("risk_publish", "select_one"),
    gives(
        "quote_cap",
        "if(${risk_publish} = 'severe', 0, if(${risk_publish} = 'low' or ${risk_publish} = 'moderate', 3, 1))",
    ),
    gives(
        "map_cap",
        "if(${risk_publish} = 'severe', 0, if(${risk_publish} = 'low' or ${risk_publish} = 'moderate', 5, 1))",
    ),
    asks("consent_map", "select_one"),
    gives(
        "place_level",
        "if(${source_ref} != '', 'locality', if(${risk_publish} = 'severe', 'none', ${consent_map}))",
    ),
    gives("g_main/n_quotes", "count-non-empty(${quote_text})"),
    asks("g_main/rep_quote/quote_text"),
    sections=(
        Section("group", "g_main", "g_main", {}, relevant="${gate} = 1"),
        Section("repeat", "rep_quote", "g_main/rep_quote", {}),
    ),
)


def test_an_import_gets_the_gate_and_the_caps_of_the_form_and_no_withdrawal_code() -> None:
    quotes: list[Answers] = [{"g_main/rep_quote/quote_text": "one"}, {"g_main/rep_quote/quote_text": "two"}]
    answers: Answers = {"source_ref": "a page", "consent_basis": "public_source", "g_main/rep_quote": quotes}
    assert calculated(CONSENT, answers, today=TODAY) == {
        **answers,
        "gate": "1",
        "quote_cap": "1",
        "map_cap": "1",
        "place_level": "locality",
        "g_main/n_quotes": "2",
    }


def test_a_refusal_has_gate_0_and_nothing_that_is_behind_it() -> None:
    found = calculated(CONSENT, {"adult_confirm": "yes", "consent_record": "no"}, today=TODAY)
    assert found["gate"] == "0"
    assert "g_main/n_quotes" not in found


def test_what_is_made_by_chance_stays_as_the_phone_made_it_or_blank() -> None:
    agreed: Answers = {"adult_confirm": "yes", "consent_record": "yes"}
    assert "withdraw_code" not in calculated(CONSENT, agreed, today=TODAY)
    kept = calculated(CONSENT, {**agreed, "withdraw_code": "1234-5678"}, today=TODAY)
    assert kept["withdraw_code"] == "1234-5678"


def test_a_calculation_is_made_fresh_and_the_given_answers_are_not_changed() -> None:
    answers: Answers = {"gate": "1", "withdraw_code": "1234-5678"}
    found = calculated(CONSENT, answers, today=TODAY)
    assert (found["gate"], "withdraw_code" in found) == ("0", False)
    assert answers == {"gate": "1", "withdraw_code": "1234-5678"}


def test_a_yes_or_no_is_stored_as_1_or_0_no_number_as_nothing_and_a_date_with_its_midnight() -> None:
    some = form(
        asks("n", "integer"),
        gives("big", "${n} > 3"),
        gives("small", "${n} < 3"),
        gives("half", "${n} div 2"),
        gives("nan", "${missing} + 1"),
        gives("day", "today()"),
        gives("year", "format-date(date(${day}), '%Y')"),
        asks("plain", "date", calculation="today()"),
        asks("missing", "integer"),
    )
    found = calculated(some, {"n": "5"}, today=TODAY)
    assert found == {
        "n": "5",
        "big": "1",
        "small": "0",
        "half": "2.5",
        "day": "2026-11-21T00:00:00.000Z",
        "year": "2026",
        "plain": "2026-11-21",
    }


def test_a_row_sees_its_own_answers_and_those_above_and_the_outside_sees_all_rows() -> None:
    nested = form(
        asks("rate", "decimal"),
        asks("a/x", "integer"),
        gives("a/scaled", "${x} * ${rate}"),
        asks("a/b/y", "integer"),
        gives("a/b/product", "${x} * ${y}"),
        gives("a/inner", "sum(${y})"),
        gives("total", "sum(${product})"),
        sections=(Section("repeat", "a", "a", {}), Section("repeat", "b", "a/b", {})),
    )
    rows: list[Answers] = [{"a/x": "2", "a/b": [{"a/b/y": "3"}, {"a/b/y": "4"}]}, {"a/x": "10", "a/b": []}]
    found = calculated(nested, {"rate": "0.5", "a": rows}, today=TODAY)
    assert found == {
        "rate": "0.5",
        "a": [
            {
                "a/x": "2",
                "a/scaled": "1",
                "a/inner": "7",
                "a/b": [{"a/b/y": "3", "a/b/product": "6"}, {"a/b/y": "4", "a/b/product": "8"}],
            },
            {"a/x": "10", "a/scaled": "5", "a/inner": "0", "a/b": []},
        ],
        "total": "14",
    }


def test_calculations_that_need_each_other_end_and_an_answer_with_quotes_is_no_sql() -> None:
    looped = form(gives("a", "${b} + 1"), gives("b", "${a} + 1"), asks("t"), gives("copy", "${t}"))
    found = calculated(looped, {"t": "it's; DROP TABLE x"}, today=TODAY)
    assert found == {"t": "it's; DROP TABLE x", "copy": "it's; DROP TABLE x"}
