"""Writes a release: a folder that is whole, searched and sealed with checksums, or not there at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb

from dialogkit import __version__
from dialogkit.errors import ReleaseRefused
from dialogkit.files import sha256_of, whole_folder
from dialogkit.publish import gate, readme
from dialogkit.publish.codebook import write_codebook
from dialogkit.publish.datapackage import data_package
from dialogkit.publish.deidentify import SMALLEST_CELL, Deidentified, deidentify
from dialogkit.publish.disclose import forms_to_publish, refuse_existing, refuse_synthetic, refuse_unclassed
from dialogkit.publish.extract import write_csv, write_extract
from dialogkit.publish.known import known_codes, known_texts
from dialogkit.publish.variables import Extract, read_extracts

MANIFEST: Final = "manifest.json"
CHECKSUMS: Final = "SHA256SUMS"
_STRICTER: Final = "a smallest cell above 5 is set, and the findings hide counts under 5 only"


@dataclass(frozen=True)
class Request:
    """What a release is made from and under which name.

    Args:
        target: the folder; its name is the name of the release.
        title: of the data, for people.
        licence: of the extracts.
        smallest_cell: as set in the workspace.
        sign_off: who answers for it; None when nobody has signed.
        today: the date that it bears.
        snapshot: name of the snapshot file.
        snapshot_sha256: its checksum.
        identifiers: value → form and question; what must not stand in any file.
    """

    target: Path
    title: str
    licence: str
    smallest_cell: int
    sign_off: str | None
    today: date
    snapshot: str
    snapshot_sha256: str
    identifiers: Mapping[str, str]


@dataclass(frozen=True)
class Release:
    """A release that was written."""

    folder: Path
    manifest: Mapping[str, Any]


def write_release(db: duckdb.DuckDBPyConnection, request: Request) -> Release:
    """Write a release from a snapshot.

    Args:
        db: a snapshot, open for reading; temporary tables are made beside it.
        request: what and where.

    Raises:
        ReleaseRefused: a submission is made up, nothing may be published, a column has no class, the folder is there
            or cannot be written, or the value of an identifier stands in a file. No folder is left behind.
    """
    refuse_existing(request.target)
    refuse_synthetic(db)
    forms = forms_to_publish(db)
    refuse_unclassed(db, forms)
    extracts = read_extracts(db, forms)
    try:
        with whole_folder(request.target) as folder:
            manifest = _fill(db, folder, extracts, request)
            _refuse_identifiers(folder, request, known_texts(db, extracts), known_codes(db))
    except OSError as error:
        raise ReleaseRefused(
            "RELEASE-007",
            request.target.name,
            f"The folder cannot be written ({error.strerror or type(error).__name__}); nothing was left behind.",
            "Check the place, its permissions and the free space, then publish again.",
        ) from None
    return Release(request.target, manifest)


def _fill(
    db: duckdb.DuckDBPyConnection, folder: Path, extracts: Sequence[Extract], request: Request
) -> Mapping[str, Any]:
    rows = deidentify(db, extracts, request.target.name, request.smallest_cell)
    (folder / "extracts").mkdir()
    for extract in extracts:
        write_extract(db, rows.queries[extract.table], folder / "extracts", extract.stem)
    write_codebook(folder, extracts)
    findings = _write_findings(db, folder, request.smallest_cell)
    facts = {"name": request.target.name, "title": request.title, "created": request.today.isoformat()}
    facts |= {"version": request.today.isoformat(), "licence": request.licence}
    _write_json(folder / "datapackage.json", data_package(folder, extracts, facts))
    manifest = _manifest(db, extracts, rows, request) | findings
    (folder / "README.md").write_text(readme.page(manifest), encoding="utf-8")
    manifest["files"] = [_file(folder, path) for path in _files(folder)]
    _write_json(folder / MANIFEST, manifest)
    sums = [f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in _files(folder)]
    (folder / CHECKSUMS).write_text("".join(sums), encoding="utf-8")
    return manifest


def _write_findings(db: duckdb.DuckDBPyConnection, folder: Path, smallest_cell: int) -> dict[str, Any]:
    """Findings hide small cells themselves, at the k of R6; where the workspace asks for more, only what is public."""
    (phones,) = db.execute(
        "SELECT count(*) FROM concepts.records WHERE published_base AND NOT is_import"
    ).fetchone() or (0,)
    if smallest_cell > SMALLEST_CELL and phones:
        return {"findings": [], "findings_left_out": _STRICTER}
    about = db.execute("SELECT id, title, base, measure, small_cells FROM findings.about ORDER BY id").fetchall()
    write_csv(folder / "findings" / "about.csv", ("id", "title", "base", "measure", "small_cells"), about)
    for name, *_ in about:
        cursor = db.execute(f'FROM findings."{name}"')
        write_csv(
            folder / "findings" / f"{name}.csv", [str(one[0]) for one in cursor.description or ()], cursor.fetchall()
        )
    return {"findings": [name for name, *_ in about], "findings_left_out": None}


def _manifest(
    db: duckdb.DuckDBPyConnection, extracts: Sequence[Extract], rows: Deidentified, request: Request
) -> dict[str, Any]:
    return {
        "name": request.target.name,
        "title": request.title,
        "date": request.today.isoformat(),
        "dialogkit": __version__,
        "licence": request.licence,
        "sign_off": request.sign_off,
        "snapshot": {"name": request.snapshot, "sha256": request.snapshot_sha256},
        "forms": [_form(db, form_id, rows) for form_id in dict.fromkeys(extract.form_id for extract in extracts)],
        "smallest_cell": max(request.smallest_cell, SMALLEST_CELL),
        "tables": [{"name": extract.stem, "columns": len(extract.published)} for extract in extracts],
        "columns_left_out": _columns_left_out(extracts),
    }


def _form(db: duckdb.DuckDBPyConnection, form_id: str, rows: Deidentified) -> dict[str, Any]:
    versions = db.execute(
        "SELECT version, title FROM ops.forms WHERE form_id = ? ORDER BY position", [form_id]
    ).fetchall()
    return {
        "form_id": form_id,
        "title": versions[-1][1] if versions else form_id,
        "versions": [version for version, _ in versions],
        **rows.counts[form_id],
        "left_out": rows.left_out[form_id],
        "reduced": rows.reduced[form_id],
    }


def _columns_left_out(extracts: Sequence[Extract]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for extract in extracts:
        for variable in extract.variables:
            if variable.left_out:
                counts[variable.left_out] = counts.get(variable.left_out, 0) + 1
    return dict(sorted(counts.items()))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _file(folder: Path, path: Path) -> dict[str, Any]:
    return {"path": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "sha256": sha256_of(path)}


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _refuse_identifiers(folder: Path, request: Request, known: frozenset[str], codes: frozenset[str]) -> None:
    # What the team itself wrote into its settings, names the release or signs with is meant to be read.
    said = {request.title, request.sign_off or "", request.licence, request.target.name, request.snapshot, _STRICTER}
    problems = tuple(gate.search(folder, request.identifiers, known | said, codes))
    if problems:
        raise ReleaseRefused(
            "RELEASE-005",
            request.target.name,
            "The release was thrown away: the values of identifiers stand in its files.",
            "See above which question of which form; nothing was left behind.",
            problems,
        )
