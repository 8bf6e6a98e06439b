"""`datapackage.json`: the extracts described as a Data Package, version 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from dialogkit.files import sha256_of
from dialogkit.publish.variables import Extract, Variable

_PROFILES: Final = "https://datapackage.org/profiles/2.0"
_TYPES: Final[Mapping[str, str]] = {
    "integer": "integer",
    "decimal": "number",
    "date": "date",
    "time": "time",
    "datetime": "datetime",
    "select_multiple": "list",
}
_ENDINGS: Final = ("csv", "parquet")
_LICENCES: Final[Mapping[str, str]] = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "CC-BY-NC-4.0": "https://creativecommons.org/licenses/by-nc/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "ODbL-1.0": "https://opendatacommons.org/licenses/odbl/1-0/",
}


def data_package(folder: Path, extracts: Sequence[Extract], facts: Mapping[str, str]) -> dict[str, Any]:
    """The content of `datapackage.json`.

    Args:
        folder: of the release, with the extracts written.
        extracts: the tables.
        facts: `name`, `title`, `created` (a date), `version` and `licence` of the release.
    """
    return {
        "$schema": f"{_PROFILES}/datapackage.json",
        "name": facts["name"].lower(),
        "title": facts["title"],
        "created": f"{facts['created']}T00:00:00Z",
        "version": facts["version"],
        "licenses": [_licence(facts["licence"])],
        "resources": [_resource(folder, extract, ending, extracts) for extract in extracts for ending in _ENDINGS],
    }


def resource_names(extract: Extract) -> tuple[str, ...]:
    """The names of the resources of one table."""
    return tuple(_name(extract, ending) for ending in _ENDINGS)


def _licence(name: str) -> dict[str, str]:
    return {"name": name, "path": _LICENCES[name]} if name in _LICENCES else {"name": name}


def _resource(folder: Path, extract: Extract, ending: str, extracts: Sequence[Extract]) -> dict[str, Any]:
    path = folder / "extracts" / f"{extract.stem}.{ending}"
    text = {"encoding": "utf-8", "mediatype": "text/csv"} if ending == "csv" else {}
    return {
        "$schema": f"{_PROFILES}/dataresource.json",
        "name": _name(extract, ending),
        "type": "table",
        "path": f"extracts/{path.name}",
        "format": ending,
        **({"mediatype": "application/vnd.apache.parquet"} | text),
        "bytes": path.stat().st_size,
        "hash": f"sha256:{sha256_of(path)}",
        "schema": _schema(extract, ending, extracts),
    }


def _name(extract: Extract, ending: str) -> str:
    return f"{extract.stem}-{ending}".lower()


def _schema(extract: Extract, ending: str, extracts: Sequence[Extract]) -> dict[str, Any]:
    own = [{"name": name, "type": "integer", "constraints": {"required": True}} for name in extract.own]
    schema: dict[str, Any] = {
        "$schema": f"{_PROFILES}/tableschema.json",
        "fields": own + [_field(variable) for variable in extract.published],
        "missingValues": [""],
        "primaryKey": list(extract.key),
    }
    if extract.repeat:
        schema["foreignKeys"] = [_foreign_key(extract, ending, extracts)]
    return schema


def _foreign_key(extract: Extract, ending: str, extracts: Sequence[Extract]) -> dict[str, Any]:
    parent = next(one for one in extracts if one.table == extract.parent)
    here, there = (["record", "parent_row"], ["record", "row"]) if extract.nested else (["record"], ["record"])
    return {"fields": here, "reference": {"resource": _name(parent, ending), "fields": there}}


def _field(variable: Variable) -> dict[str, Any]:
    label = next((text for text in variable.labels.values() if text), "")
    field: dict[str, Any] = {"name": variable.name, "type": _TYPES.get(variable.kind, "string")}
    if variable.kind == "select_multiple":
        field |= {"delimiter": " ", "itemType": "string"}
    categories = [
        {"value": code, "label": next((text for text in labels.values() if text), code)}
        for code, labels in variable.choices.items()
    ]
    # Version 2 allows `categories` for one value a cell only; the choices of a list stand under a name of our own.
    named = {"choices" if variable.kind == "select_multiple" else "categories": categories} if categories else {}
    words = {"title": label, "concept": variable.concept, "hxl": variable.hxl}
    return field | {name: text for name, text in words.items() if text} | named
