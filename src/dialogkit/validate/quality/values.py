"""Numbers far from the others of their country, and enumerators who leave much unanswered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dialogkit import sql
from dialogkit.model.form import Form, Question
from dialogkit.model.table import Column, Table
from dialogkit.validate.quality.ground import Ground, total
from dialogkit.validate.rule import Rule

#: Makes the median absolute deviation of a normal distribution its standard deviation (Rousseeuw & Croux 1993).
_NORMAL: Final = 1.4826
_NO: Final = frozenset({"", "no", "false", "false()"})


def outliers(ground: Ground) -> Iterator[Rule]:
    """The modified z-score of Iglewicz & Hoaglin (1993): |x - median| / (1.4826 · MAD), within each country."""
    if not ground.settings.texts("columns"):
        ground.missing("columns", 'Write columns = ["n_people"].')
    country = ground.country()
    for wanted in ground.settings.texts("columns"):
        table, column = ground.named(wanted, ("integer", "decimal", "number"))
        yield ground.rule(_far_away(ground, table, column, country), about=column, table=table)


def _far_away(ground: Ground, table: Table, column: Column, country: Column | None) -> str:
    """Where more than half of the values are equal, the deviation is 0 and nothing can be said."""
    x = f"{'t' if table.repeat else 'm'}.{sql.name(column.name)}"
    cells = {"x": f"CAST({x} AS DOUBLE)", "land": f"m.{sql.name(country.name)}" if country else "''"}
    main = [one.name for one in (country, None if table.repeat else column) if one]
    rows = ground.population(table, cells, main, [column.name])
    log = bool(ground.settings.values["log"])
    number = ground.settings.number
    return (
        f"WITH v AS MATERIALIZED (SELECT id, row, new, land, {'ln(x)' if log else 'x'} AS y FROM ({rows}) "
        f"WHERE land IS NOT NULL AND isfinite(x){' AND x > 0' if log else ''}), "
        "c AS (SELECT land, median(y) AS mid, mad(y) AS spread, count(*) AS n FROM v GROUP BY land) "
        "SELECT v.id, v.row FROM v JOIN c ON c.land = v.land WHERE v.new "
        f"AND c.n >= {number('smallest'):.0f} AND c.spread > 0 "
        f"AND abs(v.y - c.mid) > {number('z') * _NORMAL} * c.spread"
    )


def blanks(ground: Ground) -> Iterator[Rule]:
    """An enumerator leaves more blank than the others, among questions that everybody sees and nobody must answer."""
    free = _free(ground)
    if not free:
        ground.missing("questions that are always shown and not required", "Take the rule out for this form.")
        return
    who, name = ground.enumerator()
    asked, blank = [], []
    for path, versions in free.items():
        shown = "TRUE" if len(versions) == len(ground.staged.forms) else f"m._form_version IN ({sql.texts(versions)})"
        empty = " AND ".join(f"m.{sql.name(column.name)} IS NULL" for column in ground.main.of_path[path])
        asked.append(f"CAST({shown} AS INTEGER)")
        blank.append(f"CAST({shown} AND {empty} AS INTEGER)")
    cells = {"who": who, "asked": total(asked), "blank": total(blank), "origin": "m._origin"}
    needed = [name, "_form_version", "_origin", *(one.name for path in free for one in ground.main.of_path[path])]
    rows = ground.population(ground.main, cells, needed, needed)
    number = ground.settings.number
    few = f"{number('smallest'):.0f}"
    yield ground.rule(
        f"WITH p AS MATERIALIZED (SELECT * FROM ({rows}) WHERE who IS NOT NULL AND asked > 0 "
        "AND coalesce(origin, '') <> 'import'), "
        "c AS (SELECT who, count(*) AS n, sum(asked) AS asked, sum(blank) AS blank FROM p GROUP BY who), "
        "a AS (SELECT sum(n) AS n, sum(asked) AS asked, sum(blank) AS blank FROM c) "
        "SELECT p.id, '' FROM p JOIN c ON c.who = p.who, a WHERE p.new AND p.blank > 0 "
        f"AND c.n >= {few} AND a.n - c.n >= {few} "
        f"AND c.blank / c.asked - (a.blank - c.blank) / (a.asked - c.asked) >= {number('more')}"
    )


def _free(ground: Ground) -> dict[str, list[str]]:
    """Paths of the questions that are always shown and need no answer, with the versions in which that is so."""
    asked = {column.name for column in ground.asked(ground.main)}
    found: dict[str, list[str]] = {}
    for version, form in ground.staged.forms.items():
        for question in form.questions:
            columns = ground.main.of_path.get(question.path, ())
            if columns and all(one.name in asked for one in columns) and _is_free(form, question):
                found.setdefault(columns[-1].path, []).append(version)
    return found


def _is_free(form: Form, question: Question) -> bool:
    logic = [question.relevant, *(section.relevant for section in form.sections_above(question.path))]
    return question.has_answer and question.required.strip().lower() in _NO and not any(one.strip() for one in logic)
