"""What is measured, each in a process of its own: `python -m tests.benchmarks.measures NAME FOLDER [COUNT]`.

A measure prints one JSON object. Libraries are imported inside the measures, before its clock starts: a process holds
only what its own measure needs, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.generate import FORM_ID, REPEAT
from tests.benchmarks.meter import Meter, peak_megabytes

_CHUNK: Final = 20_000
_SYSTEM_LISTS: Final = ["_attachments", "_geolocation", "_tags", "_notes"]

Figures = dict[str, float]


def measure(name: str, folder: Path, count: int = 0) -> Figures:
    """Run one measure in a fresh process.

    Raises:
        RuntimeError: it failed; its own words are in the message.
    """
    command = [sys.executable, "-m", "tests.benchmarks.measures", name, str(folder), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def prepared(folder: Path, count: int) -> Figures:
    """Not a measure of landing: makes the submissions up and writes them."""
    from tests.benchmarks.prepare import prepare

    return prepare(folder, count)


def orjson_parse(folder: Path, _count: int) -> Figures:
    """The yardstick: every line of KoboToolbox, in memory before the clock starts, parsed and dropped."""
    from orjson import loads

    from tests.benchmarks.prepare import raw_files

    cpu = wall = 0.0
    for chunk in _chunks(raw_files(folder)):
        with Meter() as meter:
            for line in chunk:
                loads(line)
        cpu, wall = cpu + meter.cpu, wall + meter.wall
    return {"cpu": cpu, "wall": wall, "peak": peak_megabytes()}


def landing(folder: Path, _count: int) -> Figures:
    """A batch from its folder into the warehouse file, every submission accepted unchecked."""
    from dialogkit.model.report import Report
    from dialogkit.normalize.audit import stage_audit
    from dialogkit.normalize.sources import stage_sources
    from dialogkit.normalize.staging import stage, unstage
    from dialogkit.pull.batches import batches, open_batch
    from dialogkit.warehouse.connect import writing
    from dialogkit.warehouse.ddl import standing
    from dialogkit.warehouse.load import load
    from dialogkit.workspace import open_workspace

    workspace = open_workspace(folder)
    file = _fresh(workspace.warehouse)
    with Meter() as meter, writing(file) as db:
        for path in batches(workspace.batches, FORM_ID):
            batch = open_batch(path)
            staged = stage(db, batch.manifest, batch.submissions, batch.forms(), standing(db, FORM_ID))
            stage_sources(db, ())
            stage_audit(db, (), staged)
            # Fingerprints are found out for rules, so their place in the file counts here, and what they cost does not.
            db.execute(
                "CREATE TEMP TABLE stage_fingerprints AS SELECT submission_id, hash(submission_id) AS fingerprint, "
                "60 AS answers, submitted_at FROM stage_submissions WHERE state = 'new'"
            )
            db.execute(
                "CREATE TEMP TABLE stage_violations (submission_id VARCHAR, table_name VARCHAR, row VARCHAR, "
                "path VARCHAR, rule VARCHAR, action VARCHAR)"
            )
            db.execute(
                "CREATE TEMP TABLE stage_decision AS SELECT submission_id, 'accepted' AS state, '' AS reason "
                "FROM stage_submissions WHERE state = 'new'"
            )
            landed = load(db, staged, batch.manifest, Report(()))
            unstage(db)
            # A landing that leaves something out would be quick.
            assert landed.accepted == batch.manifest.counts["submissions"]
    return _figures(meter) | {"database": file.stat().st_size}


def checked_landing(folder: Path, _count: int) -> Figures:
    """`dialogkit land` as it is, with every rule; the import of Great Expectations is counted apart."""
    with Meter() as importing:
        from dialogkit.steps.land import land
    from dialogkit.normalize.staging import stage
    from dialogkit.pull.batches import batches, open_batch
    from dialogkit.validate.rules import rules_of
    from dialogkit.validate.suites import read_rules_file, rules_in
    from dialogkit.warehouse.connect import writing
    from dialogkit.workspace import open_workspace

    workspace = open_workspace(folder)
    file = _fresh(workspace.warehouse)
    with Meter() as meter:
        landed = land(workspace)
    figures = _figures(meter) | {"database": file.stat().st_size, "import": importing.cpu}
    made = [open_batch(path) for path in batches(workspace.batches, FORM_ID)]
    with writing(_fresh(folder / "scrap.duckdb")) as db:
        staged = stage(db, made[0].manifest, made[0].submissions, made[0].forms())
        rules = (*rules_of(staged), *rules_in(read_rules_file(workspace.validations / f"{FORM_ID}.toml"), staged, db))
    held = sum(one.held for one in landed)
    assert held + sum(one.accepted for one in landed) == sum(one.manifest.counts["submissions"] for one in made)
    return figures | {"rules": len(rules), "held": held}


def pandas_landing(folder: Path, _count: int) -> Figures:
    """`json_normalize` in chunks, the repeat into a second frame, both appended to DuckDB; nothing typed or checked."""
    import duckdb
    import pandas as pd
    from orjson import loads

    from tests.benchmarks.prepare import raw_files

    file = _fresh(folder / "pandas.duckdb")
    with Meter() as meter, duckdb.connect(str(file)) as db:
        for lines in _chunks(raw_files(folder)):
            chunk = [loads(line) for line in lines]
            main = pd.json_normalize(chunk).drop(columns=[REPEAT, *_SYSTEM_LISTS])
            some = [submission for submission in chunk if REPEAT in submission]
            rows = pd.json_normalize(some, record_path=[REPEAT], meta=["_uuid"])
            for table, frame in (("main", main), ("barrier", rows)):
                db.register("frame", frame)
                db.execute(f"CREATE TABLE IF NOT EXISTS {table} AS SELECT * FROM frame LIMIT 0")
                db.execute(f"INSERT INTO {table} BY NAME SELECT * FROM frame")
                db.unregister("frame")
    size = file.stat().st_size
    _fresh(file)
    return _figures(meter) | {"database": size}


def formpack_way(folder: Path, _count: int) -> Figures:
    """Row by row in Python, the main sheet as CSV; nothing typed or checked (see `formpack_way`)."""
    from tests.benchmarks.formpack_way import csv_lines
    from tests.benchmarks.prepare import raw_files

    with Meter() as meter, (folder / "formpack.csv").open("w", encoding="utf-8") as file:
        for raw in raw_files(folder):
            file.writelines(f"{line}\n" for line in csv_lines(raw))
    return _figures(meter)


def one_more(folder: Path, times: int) -> Figures:
    """One new submission into the warehouse of `checked_landing`, and into an empty one."""
    from tests.benchmarks.one_more import land_one_more

    return land_one_more(folder, times)


def shape_landing(folder: Path, percent: int) -> Figures:
    """`dialogkit land` for a form of another shape, which the folder is named after; CPU and answers."""
    from dialogkit.steps.land import land
    from dialogkit.workspace import open_workspace
    from tests.benchmarks.shapes import SHAPES, prepare_shape

    made = prepare_shape(folder, SHAPES[folder.name], percent)
    workspace = open_workspace(folder)
    with Meter() as meter:
        (landed,) = land(workspace)
    assert landed.accepted + landed.held == made["count"]
    return _figures(meter) | made | {"database": workspace.warehouse.stat().st_size}


def help_page(_folder: Path, _count: int) -> Figures:
    """CPU of `dialogkit --help`, start of Python included."""
    script = Path(sys.executable).with_name("dialogkit")
    command = [str(script)] if script.exists() else [sys.executable, "-m", "dialogkit"]
    with Meter() as meter:
        subprocess.run([*command, "--help"], stdout=subprocess.DEVNULL, check=True)
    return _figures(meter)


def receiving(folder: Path, count: int) -> Figures:
    """Submissions a second through the real server, beside a bare loop of fsync."""
    from tests.benchmarks.receiving import receive_all

    return receive_all(folder, count)


def rules_prepared(folder: Path, count: int) -> Figures:
    """Not a measure: a million staged rows, and a warehouse with as many submissions."""
    from tests.benchmarks.validating_prepare import prepare

    return prepare(folder, count)


def rules_bare(folder: Path, _count: int) -> Figures:
    """The conditions of all rules of a form in one UNION ALL."""
    from tests.benchmarks.validating import bare

    return bare(folder)


def rules_pass(folder: Path, _count: int) -> Figures:
    """The violation table."""
    from tests.benchmarks.validating import violation_pass

    return violation_pass(folder)


def rules_gate(folder: Path, _count: int) -> Figures:
    """The violation table and Great Expectations over it."""
    from tests.benchmarks.validating_gate import gate

    return gate(folder)


def rules_people(folder: Path, _count: int) -> Figures:
    """The same with rules of people."""
    from tests.benchmarks.validating_gate import people

    return people(folder)


def rules_beside(folder: Path, times: int) -> Figures:
    """100 new submissions beside the many that are accepted."""
    from tests.benchmarks.validating_gate import beside

    return beside(folder, times)


MEASURES: Final[dict[str, Callable[[Path, int], Figures]]] = {
    one.__name__: one
    for one in (
        prepared,
        orjson_parse,
        landing,
        checked_landing,
        pandas_landing,
        formpack_way,
        one_more,
        shape_landing,
        help_page,
        receiving,
        rules_prepared,
        rules_bare,
        rules_pass,
        rules_gate,
        rules_people,
        rules_beside,
    )
}


def _chunks(files: Iterable[Path]) -> Iterator[list[bytes]]:
    """Lines by the twenty thousand: a million of them are not held at once."""
    for file in files:
        with file.open("rb") as lines:
            while chunk := list(islice(lines, _CHUNK)):
                yield chunk


def _fresh(file: Path) -> Path:
    for path in file.parent.glob(f"{file.name}*"):
        path.unlink()
    return file


def _figures(meter: Meter) -> Figures:
    return {"cpu": meter.cpu, "wall": meter.wall, "peak": peak_megabytes()}


def main(arguments: list[str]) -> None:
    name, folder, count = arguments
    figures: dict[str, Any] = MEASURES[name](Path(folder), int(count))
    sys.stdout.write(json.dumps(figures) + "\n")
    # No interpreter shutdown: DuckDB with Great Expectations prints about its own leaks there.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
