"""Findings: the figures of the first data set, one vote a dialogue, and small numbers hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from dialogkit.bundled import bundled
from dialogkit.errors import WarehouseError
from dialogkit.warehouse.findings import about, read_findings, result, run_findings


def rows(db: duckdb.DuckDBPyConnection, finding: str) -> list[dict[str, Any]]:
    columns, found = result(db, finding)
    return [dict(zip(columns, row, strict=True)) for row in found]


def phone(code: str, country: str = "KEN", risk: str = "low", **more: object) -> dict[str, object]:
    """A dialogue that was recorded on a phone and may be published."""
    answers: dict[str, object] = {"gate": "1", "adult_confirm": "yes", "consent_record": "yes", "risk_publish": risk}
    answers |= {"consent_publish": "yes", "consent_map": "country", "final_choice": "as_agreed", "record_kind": "full"}
    answers |= {"dialogue_code": code, "country": country, "today": "2026-10-05", "more_detail": "no"}
    return answers | more


def barriers(*codes: str) -> dict[str, object]:
    return {"has_barriers": "yes", "rep_barrier": [{"barrier_type": code, "barrier_phase": "access"} for code in codes]}


def test_f11_gives_the_figures_of_the_first_data_set(snapshot: Any) -> None:
    found = rows(snapshot().first_dialogues().ready(), "F11")
    assert sorted(row["barrier"] for row in found) == [
        "audited_accounts_unfunded", "bank_account", "inflexible_use", "legal_registration", "mismatch_areas",
        "mismatch_needs", "mismatch_ways", "previous_large_grants",
    ]  # fmt: skip
    assert {(row["n"], row["base"], row["countries"], row["shown"]) for row in found} == {(1, 3, 1, "1 of 3 dialogues")}
    assert {(row["not_stated"], row["no_answer"], row["widely"], row["widely_base"]) for row in found} == {(2, 0, 0, 0)}


def test_f11_phase_keeps_what_the_source_does_not_state_beside_the_figure(snapshot: Any) -> None:
    found = rows(snapshot().first_dialogues().ready(), "F11_phase")
    assert [(row["phase"], row["n"], row["base"], row["dialogues"], row["shown"]) for row in found] == [
        ("access", 4, 5, 3, "4 of 5 barriers named"),
        ("during", 1, 5, 3, "1 of 5 barriers named"),
        ("after", 0, 5, 3, "0 of 5 barriers named"),
        ("unknown", 3, 5, 3, "3 not stated in the source, 0 no answer"),
    ]


def test_f11_family_counts_each_dialogue_once(snapshot: Any) -> None:
    found = rows(snapshot().first_dialogues().ready(), "F11_family")
    assert [(row["family"], row["n"], row["countries"]) for row in found] == [
        ("eligibility", 2, 2), ("conditions", 1, 1), ("fit", 1, 1),
    ]  # fmt: skip


def test_f09_gives_two_recommendations_each_in_one_country(snapshot: Any) -> None:
    found = rows(snapshot().first_dialogues().ready(), "F09")
    assert [(row["recommendation"], row["countries"], row["base"], row["dialogues"]) for row in found] == [
        ("fund_wellbeing", 1, 4, 1),
        ("transform_relationship", 1, 4, 1),
    ]
    # MEX and SSD are silent; ZMB-D01 says that there are some and keeps them in a video.
    assert {(row["dialogues_base"], row["not_stated"], row["groups_base"]) for row in found} == {(2, 3, 0)}
    assert found[0]["shown"] == "1 of 4 countries; 1 of 2 dialogues"


def test_f14_is_not_available_without_dates(snapshot: Any) -> None:
    found = rows(snapshot().first_dialogues().ready(), "F14")
    assert [(row["at_least_months"], row["base"], row["without_date"], row["shown"]) for row in found] == [
        (6, 0, 5, "not available"),
        (12, 0, 5, "not available"),
    ]


def test_f15_counts_seven_outputs_by_type(snapshot: Any) -> None:
    db = snapshot().first_dialogues().ready()
    assert {row["type"]: (row["n"], row["base"], row["public"]) for row in rows(db, "F15")} == {
        "video": (4, 7, 4), "blog": (1, 7, 1), "report": (1, 7, 1), "summary": (1, 7, 1),
    }  # fmt: skip
    assert [(row["base"], row["not_stated"], row["shown"]) for row in rows(db, "F15_language")] == [
        (0, 7, "not available")
    ]
    assert {(row["country"], row["type"]): row["n"] for row in rows(db, "F15_country")} == {
        ("MEX", "report"): 1, ("PHL", "video"): 2, ("SSD", "blog"): 1, ("SSD", "video"): 1,
        ("ZMB", "summary"): 1, ("ZMB", "video"): 1,
    }  # fmt: skip


def test_f32_shows_one_row_a_record_with_its_country_and_without_free_text(snapshot: Any) -> None:
    found = rows(snapshot().first_dialogues().ready(), "F32")
    assert [(row["country"], row["code"], row["records_in_country"]) for row in found] == [
        ("MEX", "MEX-D01", 1), ("PHL", "PHL-D01", 1), ("SSD", "SSD-D01", 1),
        ("ZMB", "ZMB-D01", 2), ("ZMB", "ZMB-D02", 2),
    ]  # fmt: skip
    assert found[1]["outputs"] == "video (2)"
    assert found[0]["participant_kinds"] == "feminist_org grassroots_activist"
    assert all(row["lat"] is not None and row["year"] is None for row in found)
    everything = str(found)
    for hidden in ("militants", "donateurs", "Studio", "Yei", "Grassroots"):
        assert hidden not in everything


def test_f01_counts_five_received_accepted_and_published_and_nothing_by_month(snapshot: Any) -> None:
    db = snapshot().first_dialogues().ready()
    (row,) = rows(db, "F01")
    assert (row["received"], row["accepted"], row["published"], row["refused"], row["without_date"]) == (5, 5, 5, 0, 5)
    assert [(row["country"], row["published"]) for row in rows(db, "F01_country")] == [
        ("MEX", 1), ("PHL", 1), ("SSD", 1), ("ZMB", 2),
    ]  # fmt: skip
    assert rows(db, "F01_month") == []


def test_f01_counts_refusals_of_a_form_of_which_nothing_was_accepted(snapshot: Any) -> None:
    made = snapshot()
    made.db.execute("INSERT INTO ops.received VALUES ('local_dialogue', 'refused', 'no consent', 4)")
    (row,) = rows(made.ready(), "F01")
    assert (row["received"], row["refused"], row["accepted"], row["published"]) == (4, 4, 0, 0)


def test_every_finding_runs_on_an_empty_warehouse(snapshot: Any) -> None:
    db = snapshot().ready()
    for finding, _, _ in about(db):
        for row in rows(db, finding):
            assert row["shown"] == "not available", finding


def test_a_few_phone_dialogues_are_never_told_apart_from_published_pages(snapshot: Any) -> None:
    made = snapshot().first_dialogues()
    made.add("uuid:a", phone("KEN-D01", **barriers("bank_account", "co_funding")))
    made.add("uuid:b", phone("KEN-D02", **barriers("competition")))
    found = {row["barrier"]: row for row in rows(made.ready(), "F11")}
    hidden = "1 of 3 dialogues from published pages; recorded by phone: fewer than 10 dialogues"
    assert (found["bank_account"]["n"], found["bank_account"]["shown"]) == (None, hidden)
    assert found["co_funding"]["n"] is None
    # Blank, not 0 and not the countries of the pages alone: a hidden figure must not read like a figure.
    assert found["co_funding"]["countries"] is None
    assert found["bank_account"]["countries"] is None
    family = next(row for row in rows(made.db, "F11_family") if row["family"] == found["co_funding"]["family"])
    assert (family["n"], family["countries"]) == (None, None)
    assert "KEN" not in str([row["shown"] for row in found.values()])


def test_a_count_of_phone_dialogues_under_k_is_shown_as_under_k(snapshot: Any) -> None:
    made = snapshot()
    for n in range(20):
        codes = ["co_funding"] if n < 12 else ["competition"]
        codes += ["bank_account"] if n < 3 else []
        codes += ["no_feedback"] if n < 2 else []
        made.add(f"uuid:{n}", phone(f"KEN-D{n:02}", **barriers(*codes)))
    found = {row["barrier"]: (row["n"], row["shown"]) for row in rows(made.ready(), "F11")}
    assert found["co_funding"] == (12, "12 of 20 dialogues")
    assert found["competition"] == (8, "8 of 20 dialogues")
    assert found["bank_account"] == (None, "recorded by phone: <5 of 20 dialogues")


def test_a_single_hidden_count_takes_the_next_smallest_with_it(snapshot: Any) -> None:
    made = snapshot()
    for n in range(20):
        made.add(f"uuid:{n}", phone(f"KEN-D{n:02}", **barriers("bank_account" if n < 3 else "co_funding")))
    assert {row["barrier"]: (row["n"], row["shown"]) for row in rows(made.ready(), "F11")} == {
        "bank_account": (None, "recorded by phone: <5 of 20 dialogues"),
        "co_funding": (None, "recorded by phone: not shown"),
    }


@pytest.mark.parametrize("risk", ["high", "unknown", None])
def test_one_record_at_a_higher_risk_raises_k_to_ten(snapshot: Any, risk: str | None) -> None:
    made = snapshot()
    for n in range(20):
        answers = phone(f"KEN-D{n:02}", **barriers("bank_account" if n < 8 else "co_funding"))
        made.add(f"uuid:{n}", answers | {"risk_publish": risk if n == 0 else "low"})
    found = {row["barrier"]: row["shown"] for row in rows(made.ready(), "F11")}
    assert found["bank_account"] == "recorded by phone: <10 of 20 dialogues"


def test_barriers_of_context_need_ten_and_are_hidden_when_all_name_them(snapshot: Any) -> None:
    made = snapshot()
    for n in range(12):
        made.add(f"uuid:{n}", phone(f"KEN-D{n:02}", **barriers("security_risk", "co_funding")))
    found = {row["barrier"]: row["n"] for row in rows(made.ready(), "F11")}
    assert found["security_risk"] is None


def test_a_second_full_record_replaces_the_first_and_an_update_adds_only_what_is_new(snapshot: Any) -> None:
    made = snapshot()
    video = {"output_type": "video", "output_title": "Our words", "output_public": "yes"}
    made.add("uuid:1", phone("KEN-D01", has_outputs="yes", rep_output=[video]), at="2026-01-01T00:00:00Z")
    made.add(
        "uuid:2",
        phone("KEN-D01", country="UGA", has_outputs="yes", rep_output=[video, {"output_type": "blog"}]),
        at="2026-02-01T00:00:00Z",
    )
    update = phone("KEN-D01", country="TZA", record_kind="update", has_outputs="yes")
    update["rep_output"] = [video | {"output_title": " our WORDS"}, {"output_type": "podcast_audio"}]
    made.add("uuid:3", update, at="2026-03-01T00:00:00Z")
    db = made.ready()
    assert db.execute("SELECT dialogue, country, submission_id FROM concepts.dialogues").fetchall() == [
        ("KEN-D01", "UGA", "uuid:2")
    ]
    assert {row["type"]: row["n"] for row in rows(db, "F15")} == {"blog": 1, "podcast_audio": 1, "video": 1}


def test_an_update_that_may_not_be_published_adds_nothing(snapshot: Any) -> None:
    made = snapshot()
    made.add("uuid:1", phone("KEN-D01", has_outputs="no"))
    made.add(
        "uuid:2",
        phone("KEN-D01", record_kind="update", final_choice="internal_only", rep_output=[{"output_type": "blog"}]),
    )
    assert rows(made.ready(), "F15")[0]["shown"] == "not available"


def test_f14_counts_a_commitment_as_kept_under_a_child_code(snapshot: Any) -> None:
    made = snapshot()
    for n in range(12):
        followups = [{"followup_type": "donor_commitment"}]
        more: dict[str, object] = {"date_start": "2026-01-01", "has_followups": "yes", "rep_followup": followups}
        made.add(f"uuid:{n}", phone(f"KEN-D{n:02}", **more), at="2026-11-01T00:00:00Z")
        child: dict[str, object] = {"parent_dialogue_code": f"KEN-D{n:02}", "has_followups": "yes"}
        child["rep_followup"] = [{"followup_type": "funding_received"}]
        made.add(f"uuid:c{n}", phone(f"KEN-C{n:02}", **child), at="2026-11-01T00:00:00Z")
    six, twelve = rows(made.ready(), "F14")
    assert (six["n"], six["base"], six["commitments"], six["commitments_kept"]) == (12, 12, 12, 12)
    assert (six["shown"], six["without_date"]) == ("12 of 12 dialogues (100 %)", 12)
    assert (twelve["base"], twelve["shown"]) == (0, "not available")


def test_f32_leaves_out_records_that_did_not_agree_to_the_map_and_details_of_few(snapshot: Any) -> None:
    made = snapshot()
    made.add("uuid:1", phone("KEN-D01", consent_map="none"))
    made.add("uuid:2", phone("KEN-D02", risk="severe"))
    made.add("uuid:3", phone("KEN-D03", topics="visions"))
    for n in range(5):
        made.add(f"uuid:t{n}", phone(f"TZA-D0{n}", country="TZA", topics="visions"))
        made.add(f"uuid:u{n}", phone(f"UGA-D0{n}", country="UGA", topics="visions"))
    made.add("uuid:h", phone("UGA-D09", country="UGA", risk="high", topics="visions"))
    found = rows(made.ready(), "F32")
    assert [(row["country"], row["code"], row["topics"]) for row in found if row["country"] == "KEN"] == [
        ("KEN", None, None)
    ]
    # The extract blanks KEN (few) together with the next smallest country, TZA: with a code here, and a total there,
    # whoever reads both could tell which record is the one of KEN. UGA alone may be told in full.
    assert {(row["code"], row["topics"]) for row in found if row["country"] == "TZA"} == {(None, None)}
    assert sorted(row["code"] or "" for row in found if row["country"] == "UGA") == [
        "", "UGA-D00", "UGA-D01", "UGA-D02", "UGA-D03", "UGA-D04",
    ]  # fmt: skip


def test_f09_counts_groups_apart_from_dialogues_and_only_from_five(snapshot: Any) -> None:
    group = """
    - gate text consent.gate none -
    - consent_publish select_one consent.publish_anon none yes_no
    - final_choice select_one consent.final_choice none final_choice
    - risk_publish select_one consent.risk indirect risk_level
    - country select_one geo.country none country
    - group_code text org.group_code indirect -
    - recs_top3 select_multiple rec.type none rec_type
    """
    made = snapshot("funder_barriers", group)
    for n in range(14):
        recs = "flexible_core multi_year" if n < 8 else "flexible_core"
        answers = {"gate": "1", "consent_publish": "yes", "final_choice": "as_agreed", "risk_publish": "low"}
        made.add(f"uuid:{n}", answers | {"country": "KEN", "group_code": f"KEN-{n}", "recs_top3": recs})
        if n == 0:  # the same group again, later: only its latest record counts
            again = answers | {"country": "KEN", "group_code": "KEN-0", "recs_top3": "multi_year pay_people"}
            made.add("uuid:again", again, at="2026-11-02T00:00:00Z")
    found = {row["recommendation"]: row for row in rows(made.ready(), "F09")}
    assert (found["pay_people"]["groups"], found["pay_people"]["countries"]) == (None, None)
    assert found["multi_year"]["groups"] is None, "the next smallest goes with the single hidden count"
    assert found["flexible_core"]["groups"] == 13
    assert found["flexible_core"]["shown"] == "1 of 1 countries; dialogues: not available; 13 of 14 groups"
    assert found["pay_people"]["shown"] == "countries: not shown; dialogues: not available; <5 of 14 groups"


def test_a_record_at_a_very_serious_risk_is_in_no_published_base_and_no_figure(snapshot: Any) -> None:
    made = snapshot()
    for n in range(20):
        made.add(f"uuid:{n}", phone(f"KEN-D{n:02}", has_outputs="no", has_recs="no", **barriers("bank_account")))
    made.ready()
    before = {finding: rows(made.db, finding) for finding, *_ in about(made.db) if not finding.startswith("F01")}
    more: dict[str, object] = {"has_outputs": "yes", "rep_output": [{"output_type": "blog", "output_lang": "swa"}]}
    more |= {"has_recs": "yes", "rep_rec": [{"rec_type": "multi_year"}], "date_start": "2025-01-01"}
    more |= {"has_followups": "yes", "rep_followup": [{"followup_type": "training"}]}
    made.add("uuid:s", phone("UGA-D01", country="UGA", risk="severe", **barriers("co_funding"), **more))
    made.add("uuid:v", phone("KEN-D01", risk="severe", **more) | {"record_kind": "update"})
    db = made.ready()
    assert db.execute(
        "SELECT count(*) FROM concepts.records WHERE risk = 'severe' AND (published_base OR published_record)"
    ).fetchone() == (0,)
    assert {finding: rows(db, finding) for finding in before} == before
    assert len(before) > 8


@pytest.mark.parametrize(
    "told", [{"risk_publish": "high"}, {"risk_publish": None}, barriers("security_risk"), {"country": "UGA"}]
)
def test_f32_and_f15_country_say_no_more_of_a_record_than_its_extract(snapshot: Any, told: dict[str, object]) -> None:
    made = snapshot()
    for n in range(12):
        made.add(f"uuid:{n}", phone(f"KEN-D{n:02}", topics="visions"))
    blog: dict[str, object] = {"topics": "wellbeing", "rep_output": [{"output_type": "blog"}]}
    made.add("uuid:one", phone("KEN-D90", **blog) | told)
    db = made.ready()
    assert all(row["code"] != "KEN-D90" and row["topics"] != "wellbeing" for row in rows(db, "F32"))
    assert all(row["outputs"] is None for row in rows(db, "F32"))
    assert [row["shown"] for row in rows(db, "F15_country")] == ["not available"]
    assert rows(db, "F15")[0]["n"] == 1, "that something was made is a public act"


def test_an_update_that_the_extract_reduces_adds_no_output_to_the_row_of_its_dialogue(snapshot: Any) -> None:
    made = snapshot()
    for n in range(6):
        made.add(f"uuid:{n}", phone(f"KEN-D0{n}"))
    update = phone("KEN-D00", record_kind="update", rep_output=[{"output_type": "blog"}], **barriers("security_risk"))
    made.add("uuid:u", update)
    db = made.ready()
    assert {row["outputs"] for row in rows(db, "F32")} == {None}
    assert [row["shown"] for row in rows(db, "F15_country")] == ["not available"]


def test_a_record_of_a_phone_never_takes_the_place_of_a_published_page(snapshot: Any) -> None:
    made = snapshot().first_dialogues()
    made.add("uuid:a", phone("MEX-D01", country="KEN"), at="2027-01-01T00:00:00Z")
    made.add("uuid:b", phone("PHL-D01", country="KEN", consent_publish="no"), at="2027-01-01T00:00:00Z")
    made.add("uuid:c", phone("KEN-D01"), at="2026-01-01T00:00:00Z")
    made.add("uuid:d", phone("KEN-D01", final_choice="internal_only"), at="2026-02-01T00:00:00Z")
    db = made.ready()
    assert db.execute("SELECT submission_id FROM concepts.records WHERE replaced ORDER BY ALL").fetchall() == [
        ("uuid:a",), ("uuid:b",), ("uuid:c",),
    ]  # fmt: skip
    assert db.execute("SELECT count(*), count(DISTINCT dialogue) FROM concepts.dialogues").fetchone() == (6, 6)
    assert [row["code"] for row in rows(db, "F32")] == ["MEX-D01", "PHL-D01", "SSD-D01", "ZMB-D01", "ZMB-D02"]


def test_what_a_phone_says_came_of_a_published_page_does_not_count_for_it(snapshot: Any) -> None:
    made = snapshot()
    page: dict[str, object] = {"gate": "1", "consent_basis": "public_source", "record_kind": "full", "country": "MEX"}
    page |= {"date_start": "2025-01-01", "has_followups": "yes", "rep_followup": [{"followup_type": "training"}]}
    for n in range(3):
        made.add(f"uuid:{n}", page | {"dialogue_code": f"MEX-D0{n}"}, origin="import")
    before = rows(made.ready(), "F14")
    came = [{"followup_type": "donor_commitment"}, {"followup_type": "funding_received"}]
    made.add("uuid:u", phone("MEX-D00", "MEX", record_kind="update", has_followups="yes", rep_followup=came))
    assert rows(made.ready(), "F14") == before
    assert (before[0]["n"], before[0]["commitments"]) == (3, 0)
    told = page | {"dialogue_code": "MEX-D00", "record_kind": "update", "rep_followup": came}
    made.add("uuid:v", told, origin="import")
    assert (rows(made.ready(), "F14")[0]["commitments"], rows(made.db, "F14")[0]["commitments_kept"]) == (1, 1)


def test_f11_phase_never_hides_one_phase_alone(snapshot: Any) -> None:
    made = snapshot()
    for n in range(12):
        named = [{"barrier_type": "bank_account", "barrier_phase": "access"}] if n > 2 else []
        named = named or [{"barrier_type": "bank_account", "barrier_phase": "during"}]
        made.add(f"uuid:{n}", phone(f"KEN-D{n:02}", has_barriers="yes", rep_barrier=named))
    found = {row["phase"]: (row["n"], row["base"]) for row in rows(made.ready(), "F11_phase")}
    assert found == {"access": (None, None), "during": (None, None), "after": (0, None), "unknown": (0, None)}
    made = snapshot()
    for n in range(3):
        made.add(f"uuid:{n}", phone(f"KEN-D{n:02}", **barriers("bank_account")))
    found = {row["phase"]: (row["n"], row["base"]) for row in rows(made.ready(), "F11_phase")}
    assert found == {"access": (None, None), "during": (None, None), "after": (0, None), "unknown": (0, None)}


def test_outputs_of_sessions_count_beside_those_of_dialogues(snapshot: Any) -> None:
    session = """
    - gate text consent.gate none -
    - consent_publish select_one consent.publish_anon none yes_no
    - final_choice select_one consent.final_choice none final_choice
    - consent_map select_one consent.map_precision none map_precision
    - risk_publish select_one consent.risk indirect risk_level
    - country select_one geo.country none country
    - dialogue_code text event.code none -
    rep_output output_type select_one output.type none output_type
    """
    made = snapshot("jam_session", session)
    for n in range(5):
        made.add(f"uuid:{n}", phone("KEN-D01", rep_output=[{"output_type": "blog"}]))
    db = made.ready()
    assert [(row["type"], row["n"]) for row in rows(db, "F15")] == [("blog", 5)]
    assert [(row["country"], row["n"]) for row in rows(db, "F15_country")] == [("KEN", 5)]
    assert {(row["kind"], row["code"], row["outputs"]) for row in rows(db, "F32")} == {
        ("jam_session", "KEN-D01", "blog")
    }


def test_a_finding_without_a_title_or_base_is_refused(tmp_path: Path) -> None:
    (tmp_path / "F99.sql").write_text("-- title: What?\n-- measure: n\nSELECT 1 AS n")
    with pytest.raises(WarehouseError) as refused:
        read_findings(tmp_path)
    assert refused.value.code == "WAREHOUSE-020"
    assert "base" in str(refused.value)


def test_a_finding_that_cannot_be_run_is_named_without_quoting_an_answer(snapshot: Any, tmp_path: Path) -> None:
    db = snapshot().first_dialogues().ready()
    header = "-- title: What?\n-- base: all\n-- measure: n\n"
    (tmp_path / "F99.sql").write_text(header + "SELECT CAST(country AS INTEGER) AS n FROM concepts.records")
    with pytest.raises(WarehouseError) as refused:
        run_findings(db, read_findings(tmp_path))
    assert refused.value.code == "WAREHOUSE-021"
    assert "MEX" not in str(refused.value)


def test_a_finding_that_is_not_there_is_named_with_those_that_are(snapshot: Any) -> None:
    db = snapshot().ready()
    with pytest.raises(WarehouseError) as refused:
        result(db, "F999")
    assert refused.value.code == "WAREHOUSE-022"
    assert "F11_phase" in str(refused.value)
    assert result(db, "f11")[0][0] == "barrier"


def test_every_shipped_finding_says_its_question_base_measure_and_small_cells() -> None:
    found = read_findings(bundled("warehouse/findings"))
    assert {finding.id for finding in found} >= {"F01", "F09", "F11", "F14", "F15", "F32"}
    for finding in found:
        assert finding.title.endswith("?"), finding.id
        assert finding.small_cells, finding.id
        assert finding.source.startswith("findings.md"), finding.id
        assert "pivot" not in finding.sql.lower(), finding.id
