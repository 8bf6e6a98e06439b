"""A release: what is in it, what never is, and that it is there whole or not at all."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterable
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from filelock import FileLock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialogkit.cli.main import cli
from dialogkit.errors import ReleaseRefused
from dialogkit.model.synthetic import PREFIX, synthetic_id
from dialogkit.publish.gate import folded, search
from dialogkit.publish.release import Release, Request, write_release
from dialogkit.publish.verify import verify
from dialogkit.steps.publish import identifiers
from dialogkit.steps.publish import publish as publish_step
from dialogkit.warehouse.connect import writing
from dialogkit.workspace import Workspace

Publish = Callable[..., Release]


@pytest.fixture
def publish(tmp_path: Path) -> Publish:
    def make(db: duckdb.DuckDBPyConnection, name: str = "2026-11-21-1", **facts: Any) -> Release:
        wanted: dict[str, Any] = {
            "target": tmp_path / name,
            "title": "Local dialogues",
            "licence": "CC-BY-4.0",
            "smallest_cell": 5,
            "sign_off": None,
            "today": date(2026, 11, 21),
            "snapshot": "20261121T000000Z.duckdb",
            "snapshot_sha256": "0" * 64,
            "identifiers": {"Grassroots Changemakers": "local_dialogue, convenor_org"},
        }
        return write_release(db, Request(**wanted | facts))

    return make


def phone(code: str, country: str = "KEN", risk: str | None = "low", **more: object) -> dict[str, object]:
    answers: dict[str, object] = {"gate": "1", "consent_publish": "yes", "final_choice": "as_agreed"}
    answers |= {"record_kind": "full", "dialogue_code": code, "country": country, "risk_publish": risk}
    return answers | {"has_barriers": "yes", "topics": "visions", "modality": "in_person"} | more


def barriers(*codes: str) -> list[dict[str, object]]:
    return [{"barrier_type": code, "barrier_phase": "access"} for code in codes]


def table(release: Release, name: str = "local_dialogue") -> list[dict[str, str]]:
    with (release.folder / "extracts" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def texts_of(folder: Path) -> Iterable[tuple[str, str]]:
    """Every file as text: what a search over the release would find."""
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".parquet":
            with duckdb.connect() as db:
                yield path.name, str(db.execute("FROM read_parquet(?)", [str(path)]).fetchall())
        elif path.is_file():
            yield path.name, path.read_text(encoding="utf-8")


def test_the_first_release_holds_five_records_and_their_rows(snapshot: Any, publish: Publish) -> None:
    release = publish(snapshot().first_dialogues().ready())
    assert sorted(row["country"] for row in table(release)) == ["MEX", "PHL", "SSD", "ZMB", "ZMB"]
    sizes = {name: len(table(release, f"local_dialogue__rep_{name}")) for name in ("barrier", "rec", "output", "quote")}
    assert sizes == {"barrier": 8, "rec": 2, "output": 7, "quote": 3}
    (form,) = release.manifest["forms"]
    assert (form["accepted"], form["publishable"], form["published"]) == (5, 5, 5)
    assert "withdrawals" not in release.manifest, "nothing records them yet: a number would be invented"
    assert "Withdrawals are not recorded by this version" in (release.folder / "README.md").read_text(encoding="utf-8")
    assert verify(release.folder) == []


def test_no_identifier_key_variable_or_sentence_of_the_first_data_is_in_any_file(
    snapshot: Any, publish: Publish
) -> None:
    release = publish(snapshot().first_dialogues().ready())
    for name, text in texts_of(release.folder):
        for hidden in ("Changemakers", "Keri", "Studio Hibang", "Yei River", "impossibles", "displacement", "uuid:"):
            assert hidden not in text, f"{hidden} in {name}"


def test_csv_and_parquet_hold_the_same_rows_in_an_order_that_is_not_that_of_arrival(
    snapshot: Any, publish: Publish
) -> None:
    release = publish(snapshot().first_dialogues().ready())
    path = release.folder / "extracts" / "local_dialogue.parquet"
    with duckdb.connect() as db:
        rows = db.execute("SELECT record, dialogue_code, topics FROM read_parquet(?)", [str(path)]).fetchall()
    assert [(str(n), code, " ".join(topics)) for n, code, topics in rows] == [
        (row["record"], row["dialogue_code"], row["topics"]) for row in table(release)
    ]
    assert [n for n, _, _ in rows] == [1, 2, 3, 4, 5]
    other = publish(snapshot().first_dialogues().ready(), "2026-11-21-2")
    assert [row["dialogue_code"] for row in table(other)] != [row["dialogue_code"] for row in table(release)]


def test_the_same_snapshot_and_name_give_the_same_bytes(snapshot: Any, publish: Publish, tmp_path: Path) -> None:
    db = snapshot().first_dialogues().ready()
    one, two = publish(db, "a/2026-11-21-1"), publish(db, "b/2026-11-21-1")
    first = {path.relative_to(one.folder): path.read_bytes() for path in one.folder.rglob("*") if path.is_file()}
    second = {path.relative_to(two.folder): path.read_bytes() for path in two.folder.rglob("*") if path.is_file()}
    assert first == second
    assert len(first) > 25


def test_rows_of_a_repeat_join_their_record(snapshot: Any, publish: Publish) -> None:
    release = publish(snapshot().first_dialogues().ready())
    codes = {row["record"]: row["dialogue_code"] for row in table(release)}
    named = {(codes[row["record"]], row["row"]) for row in table(release, "local_dialogue__rep_barrier")}
    assert named >= {("MEX-D01", "1"), ("MEX-D01", "2"), ("MEX-D01", "3"), ("SSD-D01", "2"), ("ZMB-D01", "3")}


def test_a_record_that_was_not_agreed_to_or_is_replaced_stays_out_and_is_counted(
    snapshot: Any, publish: Publish
) -> None:
    made = snapshot().first_dialogues()
    made.add("uuid:1", phone("KEN-D01", final_choice="internal_only"))
    made.add("uuid:2", phone("KEN-D02", consent_publish="no"))
    made.add("uuid:3", phone("KEN-D03", risk="severe"))
    made.add("uuid:4", phone("KEN-D04"), at="2026-01-01T00:00:00Z")
    made.add("uuid:5", phone("KEN-D04", final_choice="internal_only"), at="2026-02-01T00:00:00Z")
    release = publish(made.ready())
    (form,) = release.manifest["forms"]
    assert (form["accepted"], form["publishable"], form["published"]) == (10, 6, 5)
    assert list(form["left_out"].values()) == [4, 1]


@pytest.mark.parametrize("risk", ["high", "unknown", None])
def test_a_record_at_risk_shows_its_country_and_barriers_only(
    snapshot: Any, publish: Publish, risk: str | None
) -> None:
    made = snapshot()
    for n in range(6):
        made.add(f"uuid:{n}", phone(f"KEN-D0{n}", risk=risk, rep_barrier=barriers("bank_account"),
                                    rep_output=[{"output_type": "blog"}]))  # fmt: skip
    release = publish(made.ready())
    for row in table(release):
        assert {name: value for name, value in row.items() if value and name != "record"} == {"country": "KEN"}
    assert {(row["barrier_type"], row["barrier_phase"]) for row in table(release, "local_dialogue__rep_barrier")} == {
        ("bank_account", "")
    }
    assert table(release, "local_dialogue__rep_output") == []


def test_sensitive_barriers_of_a_phone_leave_no_gap_that_tells_of_them(snapshot: Any, publish: Publish) -> None:
    made = snapshot()
    for n in range(5):
        named = ("bank_account", "security_risk", "competition") if n < 4 else ("restrictive_law",)
        made.add(f"uuid:{n}", phone(f"KEN-D0{n}", rep_barrier=barriers(*named)))
    release = publish(made.ready())
    rows = table(release, "local_dialogue__rep_barrier")
    assert [(row["row"], row["barrier_type"]) for row in rows] == [("1", "bank_account"), ("2", "competition")] * 4
    (only,) = [row for row in table(release) if not row["dialogue_code"]]
    assert {name for name, value in only.items() if value} == {"record", "country"}
    for name, text in texts_of(release.folder / "extracts"):
        assert "security_risk" not in text, name
        assert "restrictive_law" not in text, name


def test_sensitive_codes_leave_a_list_of_barriers(snapshot: Any, publish: Publish) -> None:
    group = """
    - gate text consent.gate none -
    - consent_publish select_one consent.publish_anon none yes_no
    - final_choice select_one consent.final_choice none final_choice
    - risk_publish select_one consent.risk indirect risk_level
    - country select_one geo.country none country
    - barriers_access select_multiple barrier.set_access none barrier_type
    """
    made = snapshot("funder_barriers", group)
    for n in range(6):
        named = "security_risk bank_account" if n else "security_risk"
        made.add(f"uuid:{n}", phone("", barriers_access=named))
    found = [row["barriers_access"] for row in table(publish(made.ready()), "funder_barriers")]
    assert sorted(found) == ["", *["bank_account"] * 5]


def test_few_phone_records_of_a_country_lose_it_together_with_others(snapshot: Any, publish: Publish) -> None:
    made = snapshot().first_dialogues()
    for country, many in {"KEN": 2, "UGA": 6, "TZA": 9}.items():
        for n in range(many):
            made.add(f"uuid:{country}{n}", phone(f"{country}-D0{n}", country, parent_dialogue_code=f"{country}-P01"))
    release = publish(made.ready())
    blank = [row for row in table(release) if not row["country"]]
    assert len(blank) == 8
    assert {(row["dialogue_code"], row["parent_dialogue_code"], row["topics"]) for row in blank} == {
        ("", "", "visions")
    }
    assert sum(row["country"] == "TZA" for row in table(release)) == 9
    assert sum(row["country"] == "MEX" for row in table(release)) == 1, "an import shows what its page shows"
    assert list(release.manifest["forms"][0]["reduced"].values()) == [0, 8]


def test_the_base_of_f11_less_the_extract_tells_of_no_record_at_a_very_serious_risk(
    snapshot: Any, publish: Publish
) -> None:
    made = snapshot()
    for n in range(12):
        made.add(f"uuid:{n}", phone(f"KEN-D{n:02}", rep_barrier=barriers("bank_account")))
    made.add("uuid:s", phone("KEN-D90", risk="severe", rep_barrier=barriers("bank_account")))
    release = publish(made.ready())
    with (release.folder / "findings" / "F11.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert int(row["base"]) + int(row["not_stated"]) + int(row["no_answer"]) - len(table(release)) == 0
    assert int(row["n"]) - len(table(release, "local_dialogue__rep_barrier")) == 0


def test_sensitive_concepts_stay_out_whatever_class_a_form_gives_them(snapshot: Any, publish: Publish) -> None:
    concepts = ("org.legal_status", "org.bank_access", "org.constituency", "event.participant_groups")
    concepts += ("alt.includes", "consent.risk", "adversity.type")
    made = snapshot().first_dialogues()
    names = ("modality", "is_series", "themes", "needs", "languages", "risk_publish", "trust_change")
    for name, concept in zip(names, concepts, strict=True):
        made.db.execute(
            "UPDATE ops.columns SET concept = ?, disclosure = 'none' WHERE column_name = ?", [concept, name]
        )
    release = publish(made.ready())
    assert not set(names) & set(table(release)[0])
    with (release.folder / "codebook.csv").open(encoding="utf-8", newline="") as file:
        why = {row["name"]: row["left_out_because"] for row in csv.DictReader(file)}
    assert {why[name].partition(":")[0] for name in names} == {"sensitive"}


def test_text_that_a_spreadsheet_would_run_is_made_safe(snapshot: Any, publish: Publish) -> None:
    made = snapshot()
    for n in range(5):
        made.add(f"uuid:{n}", phone("=HYPERLINK(1)", record_kind="update", n_participants=-3))
    row = table(publish(made.ready()))[0]
    assert row["dialogue_code"] == "'=HYPERLINK(1)"
    assert row["n_participants"] == "-3"


def test_a_column_without_a_class_refuses_the_release_and_names_every_one(
    snapshot: Any, publish: Publish, tmp_path: Path
) -> None:
    made = snapshot().first_dialogues()
    made.db.execute("UPDATE ops.columns SET disclosure = '' WHERE column_name IN ('topics', 'barrier_type')")
    made.db.execute("UPDATE ops.columns SET disclosure = 'secret' WHERE column_name = 'themes'")
    with pytest.raises(ReleaseRefused) as refused:
        publish(made.ready())
    assert refused.value.code == "RELEASE-001"
    assert {(one.code, one.where) for one in refused.value.problems} == {
        ("RELEASE-002", "local_dialogue, topics"),
        ("RELEASE-002", "local_dialogue, themes"),
        ("RELEASE-002", "local_dialogue__rep_barrier, barrier_type"),
    }
    assert not (tmp_path / "2026-11-21-1").exists()


def test_nothing_that_may_be_published_refuses_the_release(snapshot: Any, publish: Publish) -> None:
    made = snapshot()
    made.add("uuid:1", phone("KEN-D01", final_choice="internal_only"))
    with pytest.raises(ReleaseRefused) as refused:
        publish(made.ready())
    assert refused.value.code == "RELEASE-003"


def test_a_release_that_would_count_made_up_submissions_is_refused(
    snapshot: Any, publish: Publish, tmp_path: Path
) -> None:
    made = snapshot().first_dialogues()
    made.add(synthetic_id("a"), phone("KEN-D01"))
    with pytest.raises(ReleaseRefused) as refused:
        publish(made.ready())
    assert refused.value.code == "RELEASE-014"
    assert "1 of local_dialogue" in refused.value.problem.message
    assert PREFIX in refused.value.problem.fix
    assert not (tmp_path / "2026-11-21-1").exists()


def test_a_release_is_never_written_over_another(snapshot: Any, publish: Publish) -> None:
    db = snapshot().first_dialogues().ready()
    publish(db)
    with pytest.raises(ReleaseRefused) as refused:
        publish(db)
    assert refused.value.code == "RELEASE-004"


def test_an_identifier_that_a_published_column_repeats_stops_the_release(
    snapshot: Any, publish: Publish, tmp_path: Path
) -> None:
    made = snapshot().first_dialogues()
    made.db.execute("UPDATE accepted.local_dialogue SET source_ref = 'told by AMINA   Diallo of Yei'")
    with pytest.raises(ReleaseRefused) as refused:
        publish(made.ready(), identifiers={"Amina Diallo": "local_dialogue, g_more/convenor_name"})
    assert refused.value.code == "RELEASE-005"
    assert {(one.code, one.where) for one in refused.value.problems} == {
        ("RELEASE-006", "extracts/local_dialogue.csv"),
        ("RELEASE-006", "extracts/local_dialogue.parquet"),
    }
    assert "amina" not in str([*refused.value.problems, refused.value]).lower()
    assert all("g_more/convenor_name stands in its column source_ref" in one.message for one in refused.value.problems)
    assert list(tmp_path.glob("*2026-11-21-1*")) == []


def test_somebody_named_like_a_choice_or_a_word_of_ours_does_not_stop_the_release(
    snapshot: Any, publish: Publish
) -> None:
    made = snapshot().first_dialogues()
    names = ("grassroots_activist", "topics", "Zambia", "Local dialogues", "Licence", "Ana")
    release = publish(made.ready(), identifiers=dict.fromkeys(names, "x"))
    assert (release.folder / "SHA256SUMS").is_file()


def test_no_word_of_our_own_pages_stops_a_release(snapshot: Any, publish: Publish) -> None:
    made = snapshot().first_dialogues()
    release = publish(made.ready())
    pages = ("README.md", "codebook.md", "codebook.csv", "choices.csv", "manifest.json", "datapackage.json")
    pages = (*pages, "findings/about.csv", "findings/F11.csv", "findings/F32.csv")
    text = " ".join((release.folder / page).read_text(encoding="utf-8") for page in pages)
    words = set(re.findall(r"[^\W\d_]{4,}", re.sub("[0-9a-f]{64}", "", text)))
    assert len(words) > 200
    publish(made.db, "again/2026-11-21-1", identifiers=dict.fromkeys(words, "a word"))


def test_a_place_that_cannot_be_written_refuses_the_release(snapshot: Any, publish: Publish, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReleaseRefused) as refused:
        publish(snapshot().first_dialogues().ready(), "file/2026-11-21-1")
    assert refused.value.code == "RELEASE-007"


def test_findings_are_in_the_release_and_stay_out_when_larger_cells_are_asked_for(
    snapshot: Any, publish: Publish
) -> None:
    made = snapshot().first_dialogues()
    release = publish(made.ready())
    assert (release.folder / "findings" / "F11.csv").read_text(encoding="utf-8").startswith("barrier,label,family,n,")
    assert publish(made.db, "strict", smallest_cell=20).manifest["findings"] == release.manifest["findings"]
    made.add("uuid:1", phone("KEN-D01"))
    strict = publish(made.ready(), "stricter", smallest_cell=20)
    assert strict.manifest["findings"] == []
    assert not (strict.folder / "findings").exists()


def test_the_codebook_lists_every_variable_and_why_it_is_left_out(snapshot: Any, publish: Publish) -> None:
    release = publish(snapshot().first_dialogues().ready())
    with (release.folder / "codebook.csv").open(encoding="utf-8", newline="") as file:
        rows = {(row["table"], row["name"]): row for row in csv.DictReader(file)}
    left_out = {name for (_, name), row in rows.items() if row["published"] == "no"}
    assert left_out >= {"convenor_name", "convenor_org", "quote_text", "adm2", "start", "end", "withdraw_code"}
    assert all(row["left_out_because"] for row in rows.values() if row["published"] == "no")
    assert rows["local_dialogue", "topics"]["label::fr"] == "topics ?"
    assert ("local_dialogue__rep_barrier", "row") in rows
    published = {
        name for table_, name in rows if rows[table_, name]["published"] == "yes" and table_ == "local_dialogue"
    }
    assert published == set(table(release)[0])


def test_the_data_package_names_keys_checksums_and_licence(snapshot: Any, publish: Publish) -> None:
    release = publish(snapshot().first_dialogues().ready())
    package = json.loads((release.folder / "datapackage.json").read_text(encoding="utf-8"))
    assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert package["licenses"] == [{"name": "CC-BY-4.0", "path": "https://creativecommons.org/licenses/by/4.0/"}]
    by_name = {resource["name"]: resource for resource in package["resources"]}
    barrier = by_name["local_dialogue__rep_barrier-csv"]
    assert barrier["type"] == "table"
    assert barrier["schema"]["primaryKey"] == ["record", "row"]
    assert barrier["schema"]["foreignKeys"] == [
        {"fields": ["record"], "reference": {"resource": "local_dialogue-csv", "fields": ["record"]}}
    ]
    fields = {field["name"]: field for field in by_name["local_dialogue-csv"]["schema"]["fields"]}
    assert list(fields) == list(table(release)[0])
    assert fields["topics"]["type"] == "list"
    for resource in package["resources"]:
        data = (release.folder / resource["path"]).read_bytes()
        assert resource["bytes"] == len(data)


def test_verify_names_files_that_changed_are_missing_or_were_added(snapshot: Any, publish: Publish) -> None:
    folder = publish(snapshot().first_dialogues().ready()).folder
    (folder / "README.md").write_text("other")
    (folder / "codebook.md").unlink()
    (folder / "extra.csv").write_text("x")
    assert {(one.code, one.where) for one in verify(folder)} == {
        ("RELEASE-010", "README.md"),
        ("RELEASE-009", "codebook.md"),
        ("RELEASE-011", "extra.csv"),
    }


@pytest.mark.parametrize("content", [None, "", "not a checksum\n", "0" * 64 + "  ../outside\n"])
def test_a_folder_without_a_sound_list_of_checksums_is_no_release(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "SHA256SUMS").write_text(content)
    with pytest.raises(ReleaseRefused) as refused:
        verify(tmp_path)
    assert refused.value.code == "RELEASE-008"


def test_a_folder_named_by_a_dot_is_called_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReleaseRefused) as refused:
        verify(Path())
    assert tmp_path.name in str(refused.value)


def test_killed_while_it_writes_a_release_leaves_no_folder_of_its_name(snapshot: Any, tmp_path: Path) -> None:
    made = snapshot().first_dialogues()
    made.ready()
    (path,) = made.db.execute("SELECT path FROM duckdb_databases() WHERE path IS NOT NULL").fetchone()
    made.db.close()
    script = textwrap.dedent(
        f"""
        import os, signal, duckdb
        from datetime import date
        from pathlib import Path
        from dialogkit.publish import release
        release.data_package = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        release.write_release(duckdb.connect({path!r}, read_only=True), release.Request(
            Path({str(tmp_path / "out" / "r1")!r}), "T", "CC0-1.0", 5, None, date(2026, 1, 1), "s", "0", {{}}))
        """
    )
    ended = subprocess.run([sys.executable, "-c", script], env=os.environ, check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert not (tmp_path / "out" / "r1").exists()
    assert [path.name[:9] for path in (tmp_path / "out").iterdir()] == [".partial-"]


numbers = count()
word = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs")), min_size=6, max_size=20).filter(
    lambda text: len(folded(text)) >= 6
)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(word, min_size=8, max_size=8, unique_by=folded), origin=st.sampled_from(["import", "server"]))
def test_no_identifier_key_variable_or_sentence_survives_into_any_file(
    snapshot: Any, publish: Publish, words: list[str], origin: str
) -> None:
    secrets = [f"q{word}" for word in words]
    made = snapshot()
    more: dict[str, object] = {"adm1": secrets[0], "adm2": secrets[1], "locality": secrets[2]}
    more |= {"summary_text": secrets[3], "context_factors": secrets[4], "withdraw_code": secrets[5]}
    more |= {"rep_quote": [{"quote_text": secrets[6], "quote_lang": "fra"}], "has_quotes": "yes"}
    more |= {"rep_followup": [{"followup_type": "training", "followup_partner": secrets[7]}]}
    if origin == "import":
        more |= {"consent_basis": "public_source", "source_ref": "a page", "risk_publish": None}
    for n in range(6):
        made.add(f"uuid:{n}", phone(f"KEN-D0{n}", **more), origin=origin)
    name = f"release-{next(numbers)}"
    release = publish(made.ready(), name, identifiers=dict.fromkeys(secrets, "planted"))
    assert len(table(release)) == 6
    for file, text in texts_of(release.folder):
        assert not [secret for secret in secrets if folded(secret) in folded(text)], file
    assert search(release.folder, dict.fromkeys(secrets, "planted"), []) == []


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=word, before=st.text("ab =+", max_size=3), after=st.text("ab ", max_size=3))
def test_an_identifier_planted_in_a_published_column_is_always_found(
    snapshot: Any, publish: Publish, secret: str, before: str, after: str
) -> None:
    made = snapshot()
    for n in range(5):
        answers = phone("x", record_kind="update", place_level=f"{before}q{secret.upper()}{after}")
        made.add(f"uuid:{n}", answers)
    with pytest.raises(ReleaseRefused) as refused:
        publish(made.ready(), "planted", identifiers={f"Q{secret.upper()}": "planted"})
    assert {one.where.rsplit(".", 1)[-1] for one in refused.value.problems} == {"csv", "parquet"}


def place(made: Any, workspace: Workspace) -> None:
    """The snapshot as the newest of a workspace, whose warehouse holds one identifier."""
    made.ready()
    (path,) = made.db.execute("SELECT path FROM duckdb_databases() WHERE path IS NOT NULL").fetchone()
    made.db.close()
    workspace.snapshots.mkdir(parents=True)
    shutil.copy(path, workspace.snapshots / "a.duckdb")
    (workspace.snapshots / "current.txt").write_text("a.duckdb")
    with writing(workspace.warehouse) as db:
        db.execute(
            "CREATE TABLE identifiers.f (_submission_id VARCHAR, _row VARCHAR, who VARCHAR, _instance_name VARCHAR)"
        )
        db.execute("INSERT INTO identifiers.f VALUES ('uuid:1', '', 'Galerie', 'MEX-D01')")
        for name, asked in {"who": "g/who", "_instance_name": "meta/instanceName"}.items():
            values = ["f", "f", "", name, asked, "text", "", "direct", "", "", "{}", 0]
            db.execute(f"INSERT INTO ops.columns VALUES ({', '.join('?' * 14)})", [*values, "[]", ""])


def test_the_step_numbers_releases_and_clears_what_a_killed_run_left(snapshot: Any, workspace: Workspace) -> None:
    made = snapshot().first_dialogues()
    made.db.execute("UPDATE accepted.local_dialogue SET source_ref = 'a page'")
    place(made, workspace)
    leftover = workspace.releases / ".partial-0000-2026-11-21-1"
    leftover.mkdir(parents=True)
    today = date(2026, 11, 21)
    names = [publish_step(workspace, to=None, sign_off="Ana", today=today).folder.name for _ in range(2)]
    assert names == ["2026-11-21-1", "2026-11-21-2"]
    assert not leftover.exists()


def test_the_step_searches_for_the_identifiers_of_the_warehouse(snapshot: Any, workspace: Workspace) -> None:
    place(snapshot().first_dialogues(), workspace)
    assert identifiers(workspace.warehouse) == {"Galerie": "f, g/who"}
    with pytest.raises(ReleaseRefused) as refused:
        publish_step(workspace, to=None, sign_off=None, today=date(2026, 11, 21))
    assert refused.value.code == "RELEASE-005"
    assert "f, g/who" in str(refused.value.problems)
    assert list(workspace.releases.glob("*")) == []


def test_only_one_release_is_written_at_a_time(workspace: Workspace) -> None:
    workspace.snapshots.mkdir(parents=True)
    (workspace.snapshots / "a.duckdb").write_bytes(b"")
    (workspace.snapshots / "current.txt").write_text("a.duckdb")
    with FileLock(workspace.warehouse.with_name(".publish.lock")), pytest.raises(ReleaseRefused) as refused:
        publish_step(workspace, to=None, sign_off=None, today=date(2026, 11, 21))
    assert refused.value.code == "RELEASE-012"


def test_the_command_verify_says_what_differs_and_exits_with_ten(snapshot: Any, publish: Publish) -> None:
    folder = publish(snapshot().first_dialogues().ready()).folder
    whole = CliRunner().invoke(cli, ["verify", str(folder)])
    assert (whole.exit_code, whole.stderr) == (0, "2026-11-21-1: every file is what was published.\n")
    (folder / "codebook.md").unlink()
    broken = CliRunner().invoke(cli, ["verify", str(folder)])
    assert broken.exit_code == 10
    assert "error[RELEASE-009] codebook.md" in broken.stderr
    assert "error[RELEASE-013] 2026-11-21-1" in broken.stderr
