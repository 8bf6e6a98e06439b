"""Compare: what changed between two workbooks, and what of it breaks answers, rules and findings of a workspace."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from dialogkit.errors import ConfigError
from dialogkit.files import sha256_of
from dialogkit.forms.build import build_form
from dialogkit.forms.compare import Beside, Comparison, compare
from dialogkit.forms.compare_kinds import Uses
from dialogkit.forms.compare_pairs import was_of
from dialogkit.warehouse.bases import BASES
from dialogkit.warehouse.concepts import RECORD_CONCEPTS
from dialogkit.warehouse.findings import read_findings
from dialogkit.workspace import Workspace

_REFERENCE: Final = re.compile(r"\$\{\s*([^\s}]+)\s*\}")
_WORD: Final = re.compile(r"[^\W\d]\w*")
_CONCEPT: Final = re.compile(r"'([a-z_]+\.[a-z_]+)'")
_VIEW: Final = re.compile(r"\bconcepts\.([a-z_]+)")
_COMMENT: Final = re.compile(r"^\s*--.*$", re.MULTILINE)


def compare_files(old: Path, new: Path, workspace: Workspace | None = None) -> Comparison:
    """Compare two workbooks of any kind that is read, with the media that lie beside them.

    Args:
        old: the workbook as it was.
        new: the workbook as it is to be.
        workspace: whose rules and findings may read the answers; none outside of a workspace.

    Raises:
        FormError: one of the two cannot be read or built.
        ConfigError: CONFIG-020, the rules of the form are not a TOML file.
    """
    before, after = build_form(old), build_form(new)
    beside = Beside(
        was=was_of(after.form),
        old_media=_hashes(before.media),
        new_media=_hashes(after.media),
        uses=uses_of(workspace, before.form.form_id) if workspace else Uses(),
    )
    return compare(before.form, after.form, beside)


def uses_of(workspace: Workspace, form_id: str) -> Uses:
    """What the rules of a form and the findings of the workspace read.

    Raises:
        ConfigError: CONFIG-020, the rules of the form are not a TOML file.
        WarehouseError: WAREHOUSE-020, a finding is not as it should be.
    """
    findings = workspace.root / "warehouse" / "findings"
    read = {finding.id: _concepts_in(finding.sql) for finding in read_findings(findings)}
    return Uses(rules=_rules(workspace.validations / f"{form_id}.toml"), findings=read)


def _hashes(media: Mapping[str, Path]) -> dict[str, str]:
    return {name: sha256_of(path) for name, path in media.items()}


def _rules(path: Path) -> dict[str, frozenset[str]]:
    if not path.is_file():
        return {}
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("CONFIG-020", path.name, f"This is not a TOML file: {error}.", "Correct it there.") from None
    rules = data.get("rule", [])
    written = [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    return {str(rule.get("code", f"number {n}")): frozenset(_names_in(rule)) for n, rule in enumerate(written, 1)}


def _names_in(rule: Mapping[str, Any]) -> Iterator[str]:
    """Columns that a rule names by itself, in its query or in `when`."""
    for key, value in rule.items():
        texts = [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
        if key.startswith("column"):
            yield from texts
        elif key == "when":
            yield from (name for text in texts for name in _REFERENCE.findall(text))
        elif key == "unexpected_rows_query":
            yield from (word for text in texts for word in _WORD.findall(text))


def _concepts_in(query: str) -> frozenset[str]:
    """The concepts that a query reads, also through the views of the schema `concepts`."""
    text, known = _COMMENT.sub("", query), _views()
    waiting, seen = set(_VIEW.findall(text)), set[str]()
    while waiting:
        view = waiting.pop()
        seen.add(view)
        more = known.get(view, "")
        text += more
        waiting |= set(_VIEW.findall(more)) - seen
    columns = {RECORD_CONCEPTS[word] for word in _WORD.findall(text) if word in RECORD_CONCEPTS}
    return frozenset(columns | set(_CONCEPT.findall(text)))


def _views() -> dict[str, str]:
    texts = [_COMMENT.sub("", statement) for statement in BASES]
    return {_VIEW.findall(text)[0]: text for text in texts}
