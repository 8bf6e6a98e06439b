"""Answers that follow a pattern instead of a person: one answer down a scale, numbers that end in 0 or 5."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from dialogkit import sql
from dialogkit.model.form import Form, Question
from dialogkit.model.table import Column
from dialogkit.validate.quality.ground import UNASKED, Ground
from dialogkit.validate.rule import Rule

#: Chi-square with 9 degrees of freedom is above this in one of a thousand groups without any preference.
_CHANCE: Final = 27.877


def straightlining(ground: Ground) -> Iterator[Rule]:
    """A block of neighbouring questions on one scale, all answered, all with the same answer."""
    found: dict[str, dict[str, list[str]]] = {}
    for version, form in ground.staged.forms.items():
        for block in _blocks(ground, form):
            columns = [ground.main.by_path[question.path] for question in block]
            cells = ", ".join(f"m.{sql.name(column.name)}" for column in columns)
            condition = (
                f"len(list_distinct([{cells}])) = 1 AND len(list_filter([{cells}], lambda x: x IS NOT NULL)) "
                f">= {ground.settings.number('items'):.0f}"
            )
            found.setdefault(columns[0].path, {}).setdefault(condition, []).append(version)
    if not found:
        ground.missing("a block of questions on one scale", "Lower items or choices, or take the rule out.")
    for path, conditions in found.items():
        yield ground.rule(_by_version(ground, conditions), about=ground.main.by_path[path])


def digits(ground: Ground) -> Iterator[Rule]:
    """The numbers of an enumerator end in 0 or 5 too often: Whipple's index, and not by chance."""
    if not ground.settings.texts("columns"):
        ground.missing("columns", 'Write columns = ["age"].')
    who, name = ground.enumerator()
    number = ground.settings.number
    for wanted in ground.settings.texts("columns"):
        table, column = ground.named(wanted, ("integer",))
        cells = {"x": f"{'t' if table.repeat else 'm'}.{sql.name(column.name)}", "who": who}
        rows = ground.population(table, cells, _both(table.repeat, name, column), [column.name])
        yield ground.rule(
            f"WITH v AS MATERIALIZED (SELECT id, row, new, who, abs(x % 10) AS d FROM ({rows}) "
            f"WHERE who IS NOT NULL AND {' AND '.join(_range(ground))}), "
            "c AS (SELECT who, sum(k) AS n, coalesce(sum(k) FILTER (d IN (0, 5)), 0) AS round, "
            "10.0 * sum(k * k) / sum(k) - sum(k) AS chi FROM (SELECT who, d, count(*) AS k FROM v GROUP BY who, d) "
            "GROUP BY who) SELECT v.id, v.row FROM v JOIN c ON c.who = v.who WHERE v.new "
            f"AND c.n >= {number('smallest'):.0f} AND c.chi > {_CHANCE} "
            f"AND 500.0 * c.round / c.n >= {number('index')}",
            about=column,
            table=table,
        )


def _both(repeat: str, name: str, column: Column) -> list[str]:
    return [name] if repeat else [name, column.name]


def _range(ground: Ground) -> list[str]:
    low, high = (ground.settings.values[key] for key in ("from", "to"))
    conditions = ["x IS NOT NULL"]
    conditions += [f"x >= {low}"] if low is not None else []
    return conditions + ([f"x <= {high}"] if high is not None else [])


def _blocks(ground: Ground, form: Form) -> Iterator[list[Question]]:
    """Questions that share a list and a group and follow one another; notes between them do not matter."""
    block: list[Question] = []
    for question in form.questions:
        if not question.has_answer or question.type in UNASKED:
            continue
        if block and not _continues(block[-1], question):
            yield from _long_enough(ground, form, block)
            block = []
        if question.type == "select_one" and _stored(ground, question):
            block.append(question)
    yield from _long_enough(ground, form, block)


def _continues(last: Question, question: Question) -> bool:
    same_group = last.path.rpartition("/")[0] == question.path.rpartition("/")[0]
    return question.type == "select_one" and question.list_name == last.list_name and same_group


def _stored(ground: Ground, question: Question) -> bool:
    column = ground.main.by_path.get(question.path)
    return column is not None and column.kind == "select_one"


def _long_enough(ground: Ground, form: Form, block: list[Question]) -> Iterator[list[Question]]:
    number = ground.settings.number
    if len(block) >= number("items") and len(form.choice_lists.get(block[0].list_name, ())) >= number("choices"):
        yield block


def _by_version(ground: Ground, conditions: Mapping[str, list[str]]) -> str:
    parts = [f"(m._form_version IN ({sql.texts(some)}) AND {condition})" for condition, some in conditions.items()]
    return f"SELECT m._submission_id, '' FROM {ground.rows} m WHERE {' OR '.join(parts)}"
