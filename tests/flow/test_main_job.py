"""The main job, end to end, over real HTTP: what the first data set must give, and what may never happen to it."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from dialogkit.bundled import data_file
from dialogkit.cli.main import cli
from dialogkit.errors import ServerRefused
from dialogkit.instance import read_instance, write_instance
from dialogkit.servers.openrosa import OpenRosaServer
from dialogkit.steps.demo import CODED_BY, Demo, counts, demo
from dialogkit.steps.imports import records_of
from dialogkit.steps.run import run
from dialogkit.steps.status import status
from dialogkit.workspace import Workspace

FORM = "local_dialogue"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with demo(tmp_path_factory.mktemp("main") / "demo", "127.0.0.1:0") as result:
        yield result


def tables(workspace: Workspace) -> Mapping[str, str]:
    """A hash of every accepted table, whatever the order of its rows."""
    with duckdb.connect(str(workspace.warehouse), read_only=True) as db:
        names = db.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'accepted'").fetchall()
        return {
            name: hashlib.sha256(
                repr(db.execute(f'SELECT t::VARCHAR FROM accepted."{name}" t ORDER BY 1').fetchall()).encode()
            ).hexdigest()
            for (name,) in names
        }


def form_of(done: Demo):
    return next(built.form for built in done.server.forms if built.form.form_id == FORM)


def test_the_first_data_set_gives_the_figures_of_its_source(done: Demo) -> None:
    (landed,) = done.ran.landed
    assert (landed.pulled, landed.accepted, landed.held, landed.refused) == (5, 5, 0, 0)
    assert dict(counts(done.workspace)) == {
        "dialogues": 5,
        "countries": 4,
        "barrier rows": 8,
        "different barriers": 8,
        "recommendations": 2,
        "follow-ups": 2,
        "outputs": 7,
        "quotes": 3,
    }


def test_the_query_of_the_readme_prints_the_countries(done: Demo) -> None:
    question = "select country, count(*) n from accepted.local_dialogue group by 1 order by 1"
    result = CliRunner().invoke(cli, ["query", question, "--format", "csv", "-w", str(done.workspace.root)])
    assert result.exit_code == 0
    assert result.stdout == "country,n\nMEX,1\nPHL,1\nSSD,1\nZMB,2\n"


def test_no_value_of_class_direct_stands_in_the_release_or_the_snapshot(done: Demo) -> None:
    with duckdb.connect(str(done.workspace.warehouse), read_only=True) as db:
        names = [
            name for (name,) in db.execute("SELECT DISTINCT convenor_org FROM identifiers.local_dialogue").fetchall()
        ]
    assert len(names) == 2
    files = [path for path in done.release.folder.rglob("*") if path.is_file()] + [done.ran.snapshot]
    assert len(files) > 10
    for path in files:
        content = path.read_bytes().lower()
        assert not [name for name in names if name.lower().encode() in content], path.name


def test_every_value_of_an_import_keeps_its_sentence(done: Demo) -> None:
    with duckdb.connect(str(done.workspace.warehouse), read_only=True) as db:
        rows = db.execute(
            "SELECT how, count(*), count(*) FILTER (source_sentence = ''), any_value(coded_by) "
            "FROM ops.sources GROUP BY 1"
        ).fetchall()
    found = {how: (n, without, who) for how, n, without, who in rows}
    assert set(found) == {"stated", "coded", "import"}
    assert found["stated"][1] == found["coded"][1] == 0
    assert {who for _, _, who in found.values()} == {CODED_BY}


def test_sending_the_five_again_and_running_again_changes_nothing(done: Demo) -> None:
    before = tables(done.workspace)
    client = OpenRosaServer("field", done.server.staff_url, embedded=True)
    for record in records_of(form_of(done), data_file("first_dialogues.json"), CODED_BY):
        client.send(record.xml, {})
    assert run(done.workspace, (FORM,)).landed == ()
    assert tables(done.workspace) == before


def test_the_same_instance_under_a_phone_token_is_refused_counted_and_never_lands(done: Demo) -> None:
    before = tables(done.workspace)
    phone = OpenRosaServer("field", done.server.phone_url)
    record = records_of(form_of(done), data_file("first_dialogues.json"), CODED_BY)[0]
    body = record.xml.replace(record.submission_id.encode(), b"uuid:0f0f0f0f-0000-4000-8000-000000000001")
    with pytest.raises(ServerRefused) as refused:
        phone.send(body, {})
    assert "read from a published page" in str(refused.value)
    assert run(done.workspace, (FORM,)).landed == ()
    assert tables(done.workspace) == before
    (counted,) = [one for one in status(done.workspace) if one.form_id == FORM]
    assert counted.refused_at_server == 1


def test_an_edit_replaces_its_earlier_self_in_every_table(done: Demo) -> None:
    record = records_of(form_of(done), data_file("first_dialogues.json"), CODED_BY)[0]
    form = form_of(done)
    answers = dict(read_instance(record.xml, form.repeats).answers)
    answers["g_main/g_people/n_participants"] = "15"
    barriers = "g_main/g_content/rep_barrier"
    answers[barriers] = answers[barriers][:1]
    edited = write_instance(form, answers, "uuid:edit-1", deprecated_id=record.submission_id)
    OpenRosaServer("field", done.server.staff_url, embedded=True).send(edited, {})
    (landed,) = run(done.workspace, (FORM,)).landed
    assert (landed.pulled, landed.accepted) == (1, 1)
    with duckdb.connect(str(done.workspace.warehouse), read_only=True) as db:
        rows = db.execute(
            "SELECT s.instance_id, d.n_participants, d._edited, count(b._row) FROM accepted.local_dialogue d "
            "JOIN ops.submissions s ON s.submission_id = d._submission_id "
            "JOIN accepted.local_dialogue__rep_barrier b USING (_submission_id) "
            "WHERE dialogue_code = 'MEX-D01' GROUP BY ALL"
        ).fetchall()
    assert rows == [("uuid:edit-1", 15, True, 1)]


def test_a_run_that_is_killed_at_any_moment_and_run_again_loses_and_doubles_nothing(done: Demo, tmp_path: Path) -> None:
    """The same server, a fresh workspace beside it: killed many times, then run to its end."""
    workspace = replace(done.workspace, root=tmp_path / "again")
    (tmp_path / "again").mkdir()
    for name in ("dialogkit.toml", "forms", "server", "validations"):
        (tmp_path / "again" / name).symlink_to(done.workspace.root / name)
    variables = os.environ | {"DIALOGKIT_SERVERS_FIELD_LISTEN": done.server.address}
    command = [sys.executable, "-m", "dialogkit", "run", FORM, "-q", "-w", str(tmp_path / "again")]
    chance = random.Random(20261121)
    for _ in range(8):
        process = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.3, 6.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
    ended = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert tables(workspace) == tables(done.workspace)
    with duckdb.connect(str(workspace.warehouse), read_only=True) as db:
        assert db.execute("SELECT count(*), count(DISTINCT submission_id) FROM ops.submissions").fetchone() == (5, 5)
        assert db.execute(
            "SELECT bool_and(pulled = accepted + held + refused + already_known + deleted) FROM ops.runs"
        ).fetchone() == (True,)
    assert not list(tmp_path.rglob(".partial-*"))


def test_a_batch_of_a_form_that_left_the_settings_is_still_told(done: Demo) -> None:
    config = replace(done.workspace.config, forms={})
    (left,) = status(replace(done.workspace, config=config))
    assert (left.form_id, left.accepted) == (FORM, 5)
