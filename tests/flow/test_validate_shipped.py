"""The rules that come with the seven forms: each runs, fires on what it is about, and never on a blank."""

from __future__ import annotations

import csv
import re
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

import duckdb
import pytest

from dialogkit.bundled import bundled
from dialogkit.forms.build import build_form
from dialogkit.model.form import BuiltForm, Form
from dialogkit.model.submission import Answers
from dialogkit.validate.by_version import Versions
from dialogkit.validate.check import check
from dialogkit.validate.logic_rules import logic_rules
from dialogkit.validate.suites import read_rules_file, rules_in
from tests.builders import stage_batch, write_batch
from tests.flow.test_validate_suites import TODAY
from tests.logic_rows import Stage

FORMS = sorted(path.stem for path in bundled("forms").glob("*.xlsx"))
CONSENT = {"gate": "1", "adult_confirm": "yes", "consent_record": "yes"}
DATA = Path(str(bundled("forms"))).parents[0] / "src" / "dialogkit" / "data" / "barriers.csv"
MAIL, PHONE, PLAIN = (
    "write to a.b@example.org",
    "ring +52 55 1234 5678",
    "From 2019 to 2024-05-06 we met 12 times, @home",
)
YEARS = {"start": "2026-01-01T10:00:00.000Z", "end": "2026-01-01T10:01:00.000Z"}
BRACKETS = {"team_contact": "[contact]"}


@cache
def built_of(form_id: str) -> BuiltForm:
    return build_form(bundled("forms") / f"{form_id}.xlsx")


def form_of(form_id: str) -> Form:
    return built_of(form_id).form


def texts(column: str, repeat: str = "") -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    bad, good = [{column: MAIL}, {column: PHONE}], [{column: PLAIN}]
    if repeat:
        return [{repeat: [one]} for one in bad], [{repeat: [one]} for one in good]
    return bad, good


#: Rule → submissions that each break it, and submissions that do not. Named by question, not by path.
CASES: dict[str, tuple[list[dict[str, object]], list[dict[str, object]]]] = {
    "MAP-001": ([{"year_began": "1899"}], [{"year_began": "1900"}]),
    "MAP-002": ([{"entry_code": "A"}, {"entry_code": "A"}], [{"entry_code": "B"}]),
    "MAP-003": ([YEARS], [YEARS | {"end": "2026-01-01T10:03:00.000Z"}]),
    "MAP-004": ([BRACKETS, {"team_server": "[server]"}], [{"team_contact": "a@example.org"}]),
    "MAP-005": texts("initiative_summary"),
    "ALLY-001": ([{"n_participants": "0"}], [{"n_participants": "1"}]),
    "ALLY-002": ([{"group_code": "MEX-123456", "country": "FRA"}], [{"group_code": "MEX-123456", "country": "MEX"}]),
    "ALLY-003": ([YEARS], [YEARS | {"end": "2026-01-01T10:03:00.000Z"}]),
    "ALLY-004": ([BRACKETS], [{"team_contact": "a@example.org"}]),
    "ALLY-005": (
        [{"group_code": "MEX-123456", "date_start": "2026-01-01"}] * 2,
        [{"group_code": "MEX-123456", "date_start": "2026-01-02"}],
    ),
    "ALLY-006": texts("mapping_note"),
    "ALLY-007": texts("ally_alias", "rep_ally"),
    "ALTERNATIVE-001": ([{"year_began": "19"}], [{"year_began": "2000"}]),
    "ALTERNATIVE-002": ([{"group_code": "MEX-1", "country": "FRA"}], [{"group_code": "MEX-1", "country": "MEX"}]),
    "ALTERNATIVE-003": ([YEARS], [YEARS | {"end": "2026-01-01T10:03:00.000Z"}]),
    "ALTERNATIVE-004": ([BRACKETS], [{"team_contact": "a@example.org"}]),
    "ALTERNATIVE-005": ([{"group_code": "MEX-1", "alt_title": "a"}] * 2, [{"group_code": "MEX-1", "alt_title": "b"}]),
    "ALTERNATIVE-006": ([{"alt_summary": MAIL}, {"alt_change": PHONE}], [{"alt_summary": PLAIN, "alt_change": PLAIN}]),
    "COLLECTIVE-001": (
        [{"n_members_now": "3", "n_joined_12m": "4"}],
        [{"n_members_now": "4", "n_joined_12m": "4"}],
    ),
    "COLLECTIVE-002": (
        [{"year_started": "2000", "rep_stage": [{"stage_year": "1999"}]}],
        [{"year_started": "2000", "rep_stage": [{"stage_year": "2000"}]}],
    ),
    "COLLECTIVE-003": ([{"year_started": "20"}], [{"year_started": "2020"}]),
    "COLLECTIVE-004": ([{"group_code": "MEX-1", "country": "FRA"}], [{"group_code": "MEX-1", "country": "MEX"}]),
    "COLLECTIVE-005": ([YEARS], [YEARS | {"end": "2026-01-01T10:03:00.000Z"}]),
    "COLLECTIVE-006": ([BRACKETS], [{"team_contact": "a@example.org"}]),
    "COLLECTIVE-007": ([{"group_code": "A", "today": "2026-01-01"}] * 2, [{"group_code": "A", "today": "2026-01-02"}]),
    "COLLECTIVE-008": (
        [{"group_code": "A", "year_started": "2000"}, {"group_code": "A", "year_started": "2001"}],
        [{"group_code": "A"}, {"group_code": "B", "year_started": "2001"}, {"year_started": "1990"}],
    ),
    "COLLECTIVE-009": texts("msc_story"),
    "FUNDER-001": ([{"n_applied_3y": "1", "n_grants_3y": "2"}], [{"n_applied_3y": "2", "n_grants_3y": "2"}]),
    "FUNDER-002": ([{"year_started": "20"}], [{"year_started": "2020"}]),
    "FUNDER-003": ([{"group_code": "MEX-1", "country": "FRA"}], [{"group_code": "MEX-1", "country": "MEX"}]),
    "FUNDER-004": ([YEARS], [YEARS | {"end": "2026-01-01T10:03:00.000Z"}]),
    "FUNDER-005": ([BRACKETS], [{"team_contact": "a@example.org"}]),
    "FUNDER-006": ([{"group_code": "A", "today": "2026-01-01"}] * 2, [{"group_code": "A", "today": "2026-01-02"}]),
    "FUNDER-007": (
        [{"group_code": "A", "legal_status": "formal"}, {"group_code": "A", "legal_status": "informal"}],
        [{"group_code": "A"}, {"group_code": "B", "legal_status": "formal"}],
    ),
    "FUNDER-008": (
        [{"rep_barrier_grant": [{"bg_type": "late_payments", "bg_phase": "during after"}]}],
        [{"rep_barrier_grant": [{"bg_type": "short_term", "bg_phase": "during after"}, {"bg_type": "late_payments"}]}],
    ),
    "FUNDER-009": texts("quote_text"),
    "JAM-001": ([{"n_participants": "5001"}], [{"n_participants": "5000"}]),
    "JAM-002": ([{"n_participants": "3", "n_new": "4"}], [{"n_participants": "4", "n_new": "4"}]),
    "JAM-003": ([{"n_participants": "3", "n_feel_better": "4"}], [{"n_participants": "4", "n_feel_better": "4"}]),
    "JAM-004": ([{"n_participants": "3", "n_new_link": "4"}], [{"n_participants": "4", "n_new_link": "4"}]),
    "JAM-005": ([{"duration_min": "9"}], [{"duration_min": "10"}]),
    "JAM-006": ([YEARS], [YEARS | {"end": "2026-01-01T10:03:00.000Z"}]),
    "JAM-007": ([BRACKETS], [{"team_contact": "a@example.org"}]),
    "JAM-008": (
        [{"consent_quotes": "none", "rep_vision": [{"vision_publish": "anonymous"}]}],
        [{"consent_quotes": "none", "rep_vision": [{"vision_publish": "none"}, {}]}],
    ),
    "JAM-009": (
        [{"rep_vision": [{"vision_publish": "group_name"}]}],
        [{"rep_vision": [{"vision_publish": "anonymous"}]}],
    ),
    "JAM-010": (
        [{"dialogue_code": "MEX-A1", "date_start": "2026-01-01"}] * 2,
        [{"dialogue_code": "MEX-A1", "date_start": "2026-01-02"}],
    ),
    "JAM-011": (
        [{"n_participants": "1", "participant_kinds": "union feminist"}],
        [{"n_participants": "2", "participant_kinds": "union feminist"}, {"participant_kinds": "union feminist"}],
    ),
    "JAM-012": texts("vision_text", "rep_vision"),
    "JAM-013": texts("output_title", "rep_output"),
    "DIALOGUE-001": ([{"n_participants": "0"}], [{"n_participants": "1"}]),
    "DIALOGUE-002": ([{"n_participants": "3", "n_donors": "4"}], [{"n_participants": "4", "n_donors": "4"}]),
    "DIALOGUE-003": (
        [{"date_start": "2026-01-02", "date_end": "2026-01-01"}],
        [{"date_start": "2026-01-01", "date_end": "2026-01-01"}],
    ),
    "DIALOGUE-004": ([{"dialogue_code": "MEX"}], [{"dialogue_code": "MEX-D01"}]),
    "DIALOGUE-005": (
        [{"record_kind": "full", "dialogue_code": "MEX-D01"}] * 2,
        [{"record_kind": "full", "dialogue_code": "MEX-D02"}, {"record_kind": "theme", "dialogue_code": "MEX-D02"}],
    ),
    "DIALOGUE-006": (
        [{"consent_quotes": "none", "rep_quote": [{"quote_publish": "anonymous"}]}],
        [{"consent_quotes": "none", "rep_quote": [{"quote_publish": "none"}]}],
    ),
    "DIALOGUE-007": ([{"rep_quote": [{"quote_publish": "person_name"}]}], [{"rep_quote": [{"quote_publish": "none"}]}]),
    "DIALOGUE-008": (
        [{"date_start": "2026-01-02", "rep_followup": [{"followup_date": "2026-01-01"}]}],
        [{"date_start": "2026-01-02", "rep_followup": [{"followup_date": "2026-01-02"}]}],
    ),
    "DIALOGUE-009": ([YEARS], [YEARS | {"end": "2026-01-01T10:03:00.000Z"}]),
    "DIALOGUE-010": ([BRACKETS], [{"team_contact": "a@example.org"}]),
    "DIALOGUE-011": (
        [{"dialogue_code": "MEX-D01", "date_start": "2026-01-01"}] * 2,
        [{"dialogue_code": "MEX-D01", "date_start": "2026-01-02"}],
    ),
    "DIALOGUE-012": (
        [{"participants_unit": "people", "n_participants": "1", "participant_kinds": "union feminist"}],
        [{"participants_unit": "organisations", "n_participants": "1", "participant_kinds": "union feminist"}],
    ),
    "DIALOGUE-013": (
        [{"rep_barrier": [{"barrier_type": "late_payments", "barrier_phase": "access"}]}],
        [{"rep_barrier": [{"barrier_type": "late_payments", "barrier_phase": "during"}, {"barrier_type": "other"}]}],
    ),
    "DIALOGUE-014": texts("summary_text"),
    "DIALOGUE-015": texts("quote_text", "rep_quote"),
    "DIALOGUE-016": texts("barrier_other", "rep_barrier"),
    "DIALOGUE-017": texts("rec_text", "rep_rec"),
    "DIALOGUE-018": texts("question_text", "rep_question"),
    "DIALOGUE-019": texts("output_title", "rep_output"),
    "DIALOGUE-020": texts("followup_note", "rep_followup"),
}


def by_path(form: Form, named: dict[str, object]) -> Answers:
    """Answers by path, from answers by the name of the question."""
    answers: Answers = {}
    for name, value in named.items():
        if isinstance(value, list):
            answers[next(path for path in form.repeats if path.endswith(name))] = [by_path(form, row) for row in value]
        else:
            (question,) = form.named(name)
            answers[question.path] = str(value)
    return answers


@pytest.mark.parametrize("form_id", FORMS)
def test_each_rule_fires_on_what_it_is_about_and_on_nothing_else(
    db: duckdb.DuckDBPyConnection, tmp_path: Path, form_id: str
):
    form, path = form_of(form_id), bundled("validations") / f"{form_id}.toml"
    codes = re.findall('^code = "(.+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
    some, expected = list[Answers](), dict[str, set[str]]()
    for code in codes:
        bad, good = CASES[code]
        expected[code] = {f"uuid:{len(some) + number}" for number in range(1, len(bad) + 1)}
        some += [by_path(form, CONSENT | one) for one in (*bad, *good)]
    some.append(by_path(form, CONSENT))
    staged = stage_batch(db, write_batch(tmp_path, form, some), form)
    rules = rules_in(read_rules_file(path), staged, db)
    report = check(db, staged, rules, today=TODAY)
    assert [result.code for result in report.results if not result.evaluated] == []
    assert all(set(rule.messages) == {"en", "fr", "es"} for rule in rules)
    found = db.execute("SELECT rule, list(DISTINCT submission_id) FROM stage_violations GROUP BY rule").fetchall()
    fired = {rule: set(ids) for rule, ids in found}
    blank = f"uuid:{len(some)}"
    for code in codes:
        first = min(int(one[5:]) for one in expected[code])
        own = {f"uuid:{first + number}" for number in range(len(CASES[code][0]) + len(CASES[code][1]))}
        assert fired.get(code, set()) & own == expected[code], code
        assert blank not in fired.get(code, set()), code


@pytest.mark.parametrize("form_id", FORMS)
def test_all_logic_of_the_form_is_decided_and_by_sql_alone(form_id: str):
    built = built_of(form_id)
    staged = replace(Stage(built.form).staged, media={built.form.version: dict(built.media)})
    rules = list(logic_rules(Versions(staged)))
    assert len(rules) > 50
    assert [(rule.code, rule.undecided) for rule in rules if rule.undecided or rule.by_python] == []


def test_barriers_go_with_the_moments_that_the_list_of_barriers_says():
    with DATA.open(encoding="utf-8") as file:
        pairs = {f"{row['barrier']} {phase}" for row in csv.DictReader(file) for phase in row["phases"].split()}
    for form_id, code in (("local_dialogue", "DIALOGUE-013"), ("funder_barriers", "FUNDER-008")):
        data = tomllib.loads((bundled("validations") / f"{form_id}.toml").read_text(encoding="utf-8"))
        query = next(rule["unexpected_rows_query"] for rule in data["rule"] if rule["code"] == code)
        assert set(re.findall(r"'(\w+ \w+)'", query)) == pairs
