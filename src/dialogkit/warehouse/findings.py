"""Findings: SQL files with a header in words, run once a snapshot and kept as tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.errors import WarehouseError

_HEADER: Final = re.compile(r"^-- (title|base|measure|small cells|source):\s*(.*)$")


@dataclass(frozen=True, slots=True)
class Finding:
    """One SQL file of `warehouse/findings`.

    Args:
        id: the name of the file without its ending: `F11`, `F11_phase`.
        title: the question that it answers.
        base: whom or what it counts over.
        measure: what is counted.
        small_cells: what is hidden, and when.
        source: where the question was agreed.
        sql: one SELECT over `concepts` and `ops.received`.
    """

    id: str
    title: str
    base: str
    measure: str
    small_cells: str
    source: str
    sql: str


def read_findings(folder: Path) -> tuple[Finding, ...]:
    """The findings of a folder, by id.

    Raises:
        WarehouseError: WAREHOUSE-020, a file does not say its title, base and measure, or holds no query.
    """
    return tuple(_read(path) for path in sorted(folder.glob("*.sql")))


def run_findings(db: duckdb.DuckDBPyConnection, findings: Iterable[Finding]) -> None:
    """Compute every finding into a table `findings.<id>`, and `findings.about` with their titles.

    Raises:
        WarehouseError: WAREHOUSE-021, a query fails.
    """
    db.execute("DROP SCHEMA IF EXISTS findings CASCADE")
    db.execute("CREATE SCHEMA findings")
    db.execute(
        "CREATE TABLE findings.about (id VARCHAR, title VARCHAR, base VARCHAR, measure VARCHAR, small_cells VARCHAR, "
        "sql VARCHAR)"
    )
    for finding in findings:
        try:
            db.execute(f"CREATE TABLE {sql.name('findings', finding.id)} AS {finding.sql}")
        except duckdb.Error as error:
            # DuckDB's own text may quote an answer (a cast); its class says enough together with the file.
            raise WarehouseError(
                "WAREHOUSE-021",
                f"warehouse/findings/{finding.id}.sql",
                f"The query cannot be run ({type(error).__name__}).",
                "Run it alone to see more: dialogkit query, with the text of the file.",
            ) from None
        about = [finding.id, finding.title, finding.base, finding.measure, finding.small_cells, finding.sql]
        db.execute("INSERT INTO findings.about VALUES (?, ?, ?, ?, ?, ?)", about)


def about(db: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """Id, title and base of every finding of a snapshot."""
    return db.execute("SELECT id, title, base FROM findings.about ORDER BY id").fetchall()


def result(db: duckdb.DuckDBPyConnection, finding_id: str) -> tuple[Sequence[str], list[tuple[object, ...]]]:
    """Columns and rows of one finding, as it stood when the snapshot was made.

    Raises:
        WarehouseError: WAREHOUSE-022, the snapshot has no such finding.
    """
    known = {name.lower(): name for (name, _, _) in about(db)}
    if finding_id.lower() not in known:
        raise WarehouseError(
            "WAREHOUSE-022",
            finding_id,
            f"There is no finding of this name. Findings: {', '.join(sorted(known.values())) or 'none'}.",
            "List them with their questions: dialogkit findings",
        )
    cursor = db.execute(f"FROM {sql.name('findings', known[finding_id.lower()])}")
    return [str(column[0]) for column in cursor.description or ()], cursor.fetchall()


def _read(path: Path) -> Finding:
    header: dict[str, str] = {}
    key, body = "", list[str]()
    for line in path.read_text(encoding="utf-8").splitlines():
        if found := _HEADER.match(line):
            key = found.group(1)
            header[key] = found.group(2).strip()
        elif key and line.startswith("--   ") and not body:
            header[key] += " " + line[2:].strip()
        else:
            body.append(line)
    missing = [name for name in ("title", "base", "measure") if not header.get(name)]
    query = "\n".join(body).strip().rstrip(";")
    if missing or not query:
        lacking = ", ".join(missing) or "query"
        raise WarehouseError(
            "WAREHOUSE-020",
            f"warehouse/findings/{path.name}",
            f"The file does not give its {lacking}.",
            "Begin it with lines such as: -- title: … and -- base: … and -- measure: … then one SELECT.",
        )
    return Finding(
        id=path.stem,
        title=header["title"],
        base=header["base"],
        measure=header["measure"],
        small_cells=header.get("small cells", ""),
        source=header.get("source", ""),
        sql=query,
    )
