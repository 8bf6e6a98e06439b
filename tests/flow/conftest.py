"""A snapshot as the warehouse writes it, with the five first dialogues, built without forms and servers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

import dialogkit
from dialogkit import sql
from dialogkit.bundled import bundled
from dialogkit.model.table import MAIN_COLUMNS, REPEAT_COLUMNS, SQL_TYPES
from dialogkit.warehouse.concepts import create_concepts
from dialogkit.warehouse.findings import read_findings, run_findings

#: repeat, question, kind, concept, disclosure, choice list of the form `local_dialogue`.
LOCAL_DIALOGUE = """
- start datetime meta.start none -
- end datetime meta.end none -
- today date meta.date_filled none -
- team_contact text meta.team_contact none -
- team_server text meta.team_server none -
- source_ref text meta.source_ref none -
- adult_confirm select_one consent.adult none yes_no
- consent_basis select_one consent.basis none consent_basis
- consent_record select_one consent.record none yes_no
- gate text consent.gate none -
- risk_publish select_one consent.risk indirect risk_level
- consent_publish select_one consent.publish_anon none yes_no
- consent_quotes select_one consent.quotes none quote_consent
- consent_map select_one consent.map_precision none map_precision
- consent_recontact select_one consent.recontact none yes_no
- quote_cap text consent.quote_cap none -
- map_cap text consent.map_cap none -
- place_level text consent.place_level none -
- withdraw_code text consent.withdraw_code indirect -
- record_kind select_one meta.record_kind none record_kind
- dialogue_code text event.code none -
- more_detail select_one meta.more_detail none yes_no
- filled_by_role select_one meta.filled_by_role none organiser_role
- country select_one geo.country none country
- adm1 text geo.adm1 indirect -
- adm2 text geo.adm2 indirect -
- locality text geo.locality indirect -
- map_point geopoint geo.point direct -
- is_series select_one event.is_series none yes_no
- n_meetings integer event.n_meetings none -
- date_precision select_one event.date_precision none date_precision
- date_start date event.date_start none -
- modality select_one event.modality none modality
- parent_dialogue_code text event.parent_code none -
- n_participants integer event.n_participants none -
- participants_unit select_one event.participants_unit none participants_unit
- participant_kinds select_multiple event.participant_kinds none actor_type
- topics select_multiple event.topics none dialogue_topic
- themes select_multiple org.themes none theme
- has_quotes select_one event.has_quotes none yes_no
rep_quote quote_text text quote.text free_text -
rep_quote quote_lang select_one quote.lang none language
rep_quote quote_speaker select_one quote.speaker_kind indirect actor_type
rep_quote quote_publish select_one quote.consent none quote_consent
- n_quotes text quote.n none -
- has_barriers select_one event.has_barriers none yes_no
rep_barrier barrier_type select_one barrier.type none barrier_type
rep_barrier barrier_other text barrier.other_text free_text -
rep_barrier barrier_phase select_one barrier.phase none barrier_phase
rep_barrier barrier_raised_by select_multiple barrier.raised_by none actor_type
rep_barrier barrier_severity select_one barrier.severity none severity_4
rep_barrier barrier_shared select_one barrier.shared_level none shared_level
rep_barrier barrier_quote_no integer barrier.quote_no none -
- has_recs select_one event.has_recs none yes_no_dk
rep_rec rec_type select_one rec.type none rec_type
rep_rec rec_target select_multiple rec.target none rec_target
rep_rec rec_text text rec.text free_text -
rep_rec rec_shared select_one rec.shared_level none shared_level
- needs select_multiple need.topics none need_topic
- trust_change select_one event.trust_change none trust_change
- convenor_kind select_multiple event.convenor_kind none actor_type
- convenor_name text event.convenor_name direct -
- convenor_org text event.convenor_org direct -
- participants_scope select_one event.scope none geo_scope
- context_factors select_multiple ctx.factors indirect context_factor
- date_end date event.date_end none -
- languages select_multiple event.languages none language
- participant_groups select_multiple event.participant_groups indirect constituency
- n_donors integer event.n_donors none -
- informal_present select_one event.informal_present none yes_no_dk
- has_questions select_one event.has_questions none yes_no
rep_question question_topic select_one question.topic none dialogue_topic
rep_question question_text text question.text free_text -
- summary_text text event.summary free_text -
- has_outputs select_one event.has_outputs none yes_no
rep_output output_type select_one output.type none output_type
rep_output output_lang select_one output.lang none language
rep_output output_public select_one output.is_public none yes_no
rep_output output_title text output.title free_text -
rep_output output_url text output.url indirect -
- has_followups select_one event.has_followups none yes_no
rep_followup followup_type select_one followup.type none followup_type
rep_followup followup_topics select_multiple followup.topics none need_topic
rep_followup followup_date date followup.date none -
rep_followup followup_format select_one followup.format none learning_format
rep_followup followup_partner text followup.partner indirect -
rep_followup followup_note text followup.note free_text -
- final_choice select_one consent.final_choice none final_choice
"""
FIRST_DIALOGUES = Path(dialogkit.__file__).parent / "data" / "first_dialogues.json"
Row = dict[str, object]


@dataclass
class Snapshot:
    """Builds `accepted` and `ops` of one form; `open()` adds concepts and findings."""

    db: duckdb.DuckDBPyConnection
    form_id: str = "local_dialogue"
    table: str = LOCAL_DIALOGUE
    columns: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.columns = [line.split() for line in self.table.strip().splitlines()]
        for repeat in dict.fromkeys(column[0] for column in self.columns):
            self._make(repeat)

    def add(self, submission_id: str, answers: Mapping[str, object], *, origin: str = "server", at: str = "") -> None:
        """One accepted submission: `{question: value, repeat: [{question: value}, …]}`; lists as `a b`."""
        repeats = {name: rows for name, rows in answers.items() if isinstance(rows, list)}
        main = {name: value for name, value in answers.items() if name not in repeats}
        own: Row = {"_submission_id": submission_id, "_origin": origin, "_edited": False}
        self._insert("-", own | {"_submitted_at": at or "2026-11-01T10:00:00Z"}, main)
        for repeat, rows in repeats.items():
            for n, row in enumerate(rows, start=1):
                place: Row = {"_submission_id": submission_id, "_parent_row": "", "_row": str(n), "_position": n}
                self._insert(repeat, place, row)
        self.db.execute("INSERT INTO ops.received VALUES (?, 'accepted', '', 1)", [self.form_id])

    def first_dialogues(self) -> Snapshot:
        """The five real records, as an import brings them."""
        data = json.loads(FIRST_DIALOGUES.read_text(encoding="utf-8"))
        for code, record in data.items():
            answers: dict[str, object] = {"gate": "1", "quote_cap": "1", "map_cap": "1", "place_level": "locality"}
            for cell in record["rows"]:
                repeat, _, number = cell["table"].rstrip("]").partition("[")
                if not repeat:
                    answers[cell["field"]] = cell["value"]
                    continue
                rows = answers.setdefault(repeat, [])
                assert isinstance(rows, list)
                rows.extend({} for _ in range(int(number) - len(rows)))
                rows[int(number) - 1][cell["field"]] = cell["value"]
            self.add(f"uuid:{code.lower()}", answers, origin="import")
        return self

    def ready(self) -> duckdb.DuckDBPyConnection:
        """Concepts and findings computed."""
        create_concepts(self.db)
        run_findings(self.db, read_findings(bundled("warehouse/findings")))
        return self.db

    def _make(self, repeat: str) -> None:
        mine = [column for column in self.columns if column[0] == repeat]
        own = dict(MAIN_COLUMNS if repeat == "-" else REPEAT_COLUMNS)
        types = own | {name: SQL_TYPES[kind] for _, name, kind, _, pii, _ in mine if pii != "direct"}
        table = self._table(repeat)
        self.db.execute(
            f"CREATE TABLE {sql.name('accepted', table)} ({', '.join(f'{sql.name(n)} {t}' for n, t in types.items())})"
        )
        for position, (_, name, kind, concept, pii, list_name) in enumerate(mine):
            path = name if repeat == "-" else f"{repeat}/{name}"
            row = [self.form_id, table, "" if repeat == "-" else repeat, name, path, kind, concept.strip("-")]
            row += [pii.strip("-"), "", list_name.strip("-"), json.dumps({"en": name, "fr": f"{name} ?"}), position]
            row += ["[]", ""]
            self.db.execute(f"INSERT INTO ops.columns VALUES ({', '.join('?' * 14)})", row)

    def _table(self, repeat: str) -> str:
        return self.form_id if repeat == "-" else f"{self.form_id}__{repeat}"

    def _insert(self, repeat: str, own: Row, answers: Mapping[str, object]) -> None:
        kinds = {name: kind for group, name, kind, _, pii, _ in self.columns if group == repeat and pii != "direct"}
        values = own | {name: value for name, value in answers.items() if name in kinds}
        self._note_choices(repeat, values)
        for name, value in values.items():
            if kinds.get(name) == "select_multiple" and isinstance(value, str):
                values[name] = value.split()
        names = ", ".join(sql.name(name) for name in values)
        marks = ", ".join("?" * len(values))
        self.db.execute(
            f"INSERT INTO {sql.name('accepted', self._table(repeat))} ({names}) VALUES ({marks})", [*values.values()]
        )

    def _note_choices(self, repeat: str, values: Mapping[str, object]) -> None:
        """Codes that were answered are choices of the form."""
        for group, name, _, _, _, list_name in self.columns:
            if group == repeat and list_name != "-" and isinstance(values.get(name), str):
                for code in str(values[name]).split():
                    self.db.execute(
                        "INSERT INTO ops.choices SELECT $1, $2, $3, $4, 0 WHERE NOT EXISTS "
                        "(FROM ops.choices WHERE form_id = $1 AND list_name = $2 AND choice = $3)",
                        [self.form_id, list_name, code, json.dumps({"en": code.replace("_", " ")})],
                    )


def empty_database(path: str) -> duckdb.DuckDBPyConnection:
    """Schemas and books of a snapshot, nothing landed."""
    db = duckdb.connect(path)
    db.execute("SET TimeZone = 'UTC'")
    for file in sorted(bundled("warehouse/migrations").glob("*.sql")):
        db.execute(file.read_text(encoding="utf-8"))
    db.execute("CREATE TABLE ops.received (form_id VARCHAR, state VARCHAR, reason VARCHAR, n BIGINT)")
    return db


@pytest.fixture
def snapshot(tmp_path: Path) -> Iterable[Callable[..., Snapshot]]:
    """Makes snapshots: `snapshot()` for `local_dialogue`, or with a form id and a table of questions."""
    made: list[duckdb.DuckDBPyConnection] = []

    def make(form_id: str = "local_dialogue", table: str = LOCAL_DIALOGUE) -> Snapshot:
        made.append(empty_database(str(tmp_path / f"snapshot{len(made)}.duckdb")))
        return Snapshot(made[-1], form_id, table)

    yield make
    for db in made:
        db.close()
