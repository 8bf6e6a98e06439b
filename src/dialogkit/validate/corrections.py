"""Rules that flag corrections which could not be made: the source changed, or their place is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from dialogkit import sql
from dialogkit.model.correction import Outcome
from dialogkit.model.staged import Staged
from dialogkit.validate.rule import Rule

#: State of a correction → the rule that flags it.
_RULES: Final[Mapping[str, str]] = {"conflict": "CORRECTION-CONFLICT", "no place": "CORRECTION-PLACE"}
_TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "CORRECTION-CONFLICT": {
        "en": "This answer was corrected here, and the source has changed it since: the correction was not made.",
        "fr": "Cette réponse a été corrigée ici, et la source l’a modifiée depuis : la correction n’a pas été faite.",
        "es": "Esta respuesta se corrigió aquí y la fuente la ha cambiado después: la corrección no se hizo.",
    },
    "CORRECTION-PLACE": {
        "en": "A correction was not made: its question or row is not there any more.",
        "fr": "Une correction n’a pas été faite : sa question ou sa ligne n’existe plus.",
        "es": "Una corrección no se hizo: su pregunta o su fila ya no existe.",
    },
}
_FIX: Final = "See it with: dialogkit correct list. Take it back with dialogkit correct undo ID, or add a new one."


def correction_rules(staged: Staged) -> tuple[Rule, ...]:
    """One rule for each place with a correction that could not be made; none for a batch without any."""
    found: dict[tuple[str, str, str], list[Outcome]] = {}
    for corrected in staged.corrected.values():
        if corrected.line["refused"]:
            continue
        for one in corrected.outcomes:
            if one.state in _RULES:
                found.setdefault((_RULES[one.state], one.path, _table(staged, one.path)), []).append(one)
    return tuple(_rule(staged, *place, some) for place, some in sorted(found.items()))


def _table(staged: Staged, path: str) -> str:
    for table in staged.tables:
        if path in table.by_path:
            return table.name
    return staged.tables[0].name


def _rule(staged: Staged, code: str, path: str, table: str, some: Sequence[Outcome]) -> Rule:
    ids = {corrected_id.removeprefix("uuid:"): corrected_id for corrected_id in staged.corrected}
    rows = ", ".join(f"({sql.text(ids[one.entry.key])}, {sql.text(one.entry.row)})" for one in some)
    return Rule(
        f"{code}:{path}", "hold", path, table, _TEXTS[code], _FIX, f"SELECT * FROM (VALUES {rows}) AS v(id, row)"
    )
