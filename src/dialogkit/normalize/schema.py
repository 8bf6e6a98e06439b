"""Which tables and columns the versions of a form fill. A column keeps its name for good."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

from dialogkit.model.form import Form, Question
from dialogkit.model.kinds import kind_of
from dialogkit.model.table import HISTORY_COLUMNS, MAIN_COLUMNS, REPEAT_COLUMNS, Column, Kind, Standing, Table
from dialogkit.normalize.beside import Key, with_companions
from dialogkit.normalize.naming import Names

#: What a phone writes into `meta` beside the identifiers. A name of an instance is made from answers, often a
#: person's name, so it counts as an identifier.
_META: Final = (
    Question(name="_instance_name", path="meta/instanceName", type="text", disclosure="direct"),
    Question(name="_audit", path="meta/audit", type="file", disclosure="indirect"),
)

_PLACES: Final = frozenset({"geopoint", "geotrace", "geoshape"})
#: Classes, the strictest last; one that nobody has given does not publish either, but says nothing.
_STRICTNESS: Final = ("", "none", "indirect", "free_text", "direct")
_OURS: Final = frozenset({*MAIN_COLUMNS, *REPEAT_COLUMNS, *HISTORY_COLUMNS})


#: A form that never landed.
EMPTY: Final = Standing()


def tables_of(
    forms: Sequence[Form], standing: Standing = EMPTY, same: Mapping[str, str] | None = None
) -> tuple[Table, ...]:
    """The tables of a form over all its versions.

    Versions are taken one by one, oldest first, so that names do not depend on which of them landed first.

    Args:
        forms: versions of one form, oldest first; at least one.
        standing: what the form has in the warehouse already; it comes first and keeps its names.
        same: earlier path of a question → its newest (`model.lineage.Lineage.same`): they share a column.

    Returns:
        The main table, then one table a repeat, parents before children.
    """
    repeats = _repeats(forms, {*standing.columns, *standing.tables})
    names = _table_names(forms, repeats, standing)
    return tuple(_table(repeat, forms, standing, same or {}, names) for repeat in ("", *repeats))


def calculated_in(forms: Iterable[Form]) -> frozenset[str]:
    """Paths of the questions that any version calculates."""
    return frozenset(question.path for form in forms for question in form.questions if question.type == "calculate")


def _table(
    repeat: str, forms: Sequence[Form], standing: Standing, same: Mapping[str, str], names: Mapping[str, str]
) -> Table:
    repeats = [path for path in names if path]
    above = dict.fromkeys(form.repeat_of(repeat) for form in forms if repeat in form.repeats) if repeat else {}
    parents = [names[path] for path in above or ([_innermost(repeat, repeats)] if repeat else [])]
    inner = [path for path in repeats if any(_is_in(path, repeat, form) for form in forms)]
    columns, waiting = _columns(repeat, forms, standing, same, inner)
    return Table(
        name=names[repeat],
        form_id=forms[-1].form_id,
        repeat=repeat,
        parent=parents[-1] if parents else "",
        parents=tuple(parents),
        columns=columns,
        waiting=waiting,
    )


def _is_in(path: str, repeat: str, form: Form) -> bool:
    return path in form.repeats and form.repeat_of(path) == repeat


def _repeats(forms: Sequence[Form], known: Iterable[str]) -> list[str]:
    found = {path: None for path in sorted(known) if path}
    for form in forms:
        found |= {section.path: None for section in form.sections if section.kind == "repeat"}
    return sorted(found, key=lambda path: (path.count("/"), path))


def _innermost(path: str, repeats: Iterable[str]) -> str:
    above = [repeat for repeat in repeats if path.startswith(repeat + "/")]
    return max(above, key=len, default="")


def _table_names(forms: Sequence[Form], repeats: Sequence[str], standing: Standing) -> dict[str, str]:
    """The name of every table by path of its repeat, in the order of `repeats`."""
    form_id = forms[-1].form_id
    taken = Names([*standing.tables.values(), *standing.taken])
    names = dict(standing.tables)
    if "" not in names:
        names[""] = taken.free(form_id)
    for some in (*([path for path in repeats if path in form.repeats] for form in forms), repeats):
        leaves = [path.rsplit("/", 1)[-1].lower() for path in some]
        for path in some:
            leaf = path.rsplit("/", 1)[-1]
            part = leaf if leaves.count(leaf.lower()) == 1 else path.replace("/", "__")
            if path not in names:
                names[path] = taken.free(f"{form_id}__{part}")
    return {path: names[path] for path in ("", *repeats)}


def _columns(
    repeat: str, forms: Sequence[Form], standing: Standing, same: Mapping[str, str], inner: Sequence[str]
) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    columns = _follow(standing.columns.get(repeat, ()), same)
    names = Names([*_OURS, *(one.name for one in columns.values())], (one.alias for one in columns.values()))
    # A warehouse from before has none.
    columns = {key: names.aliased(column) for key, column in columns.items()}
    classes: dict[str, str] = {}
    asked = {question.path for form in forms for question in _questions(form, repeat)}
    # A column whose question no version here asks keeps what the warehouse knows of it.
    earlier = {(path, one.kind): key for key, one in columns.items() if one.path not in asked for path in one.was}
    for form in forms:
        fresh: dict[Key, Column] = {}
        for question in _questions(form, repeat):
            column = _column(question, kind_of(question, form))
            own = (column.path, column.kind)
            told = (same.get(column.path, column.path), column.kind)
            key = own if own in columns else earlier.get(own, told)
            if column.disclosure:
                classes[same.get(column.path, column.path)] = column.disclosure
            if key in columns:
                columns[key] = _refreshed(columns[key], column)
            else:
                fresh[key] = replace(column, path=key[0], was=(column.path,) if column.path != key[0] else ())
        leaves = [column.name.lower() for column in fresh.values()]
        for key, column in fresh.items():
            alone = leaves.count(column.name.lower()) == 1 and not names.has(column.name)
            name = column.name if alone else (*column.was, column.path)[0].replace("/", "__")
            columns[key] = names.named(replace(column, name=name))
    if not standing.versions <= {form.version for form in forms}:
        # A version that nobody here knows may have classed it more strictly: that stays.
        for column in standing.columns.get(repeat, ()):
            newest = same.get(column.path, column.path)
            classes[newest] = _stricter(column.disclosure, classes.get(newest, ""))
    settled = _classed(_with_was(columns, same, asked), same, classes)
    return with_companions(settled, inner, calculated_in(forms), names)


def _follow(known: Sequence[Column], same: Mapping[str, str]) -> dict[Key, Column]:
    """Columns of the warehouse by key; one whose question has another path now goes along.

    Two that were landed apart stay apart until `land --rebuild`: their answers stand in them already.
    """
    columns = {(column.path, column.kind): column for column in known}
    for key, column in list(columns.items()):
        newest = (same.get(column.path, column.path), column.kind)
        if newest not in columns:
            del columns[key]
            columns[newest] = replace(column, path=newest[0], was=(*column.was, column.path))
    order = {column.name: number for number, column in enumerate(known)}
    return dict(sorted(columns.items(), key=lambda item: order[item[1].name]))


def _with_was(columns: Mapping[Key, Column], same: Mapping[str, str], asked: AbstractSet[str]) -> dict[Key, Column]:
    """Every earlier path of a question in each of its columns: which of them takes an answer depends on the version.

    Also those that no version here asks and somebody said to be the question. A path never leads to two questions: one
    that is another question's now leads there only.
    """
    own = {column.path for column in columns.values()}
    before: dict[str, dict[str, None]] = {}
    for column in columns.values():
        still = [
            path
            for path in column.was
            if path not in own and (same.get(path) == column.path or not {path, column.path} <= asked)
        ]
        before.setdefault(column.path, {}).update(dict.fromkeys(still))
    for path, newest in same.items():
        if path not in own and newest in before:
            before[newest][path] = None
    # Nearest to the newest path comes last; what no version asks comes first.
    earlier = {path: tuple(sorted(paths, key=lambda one: one in asked)) for path, paths in before.items()}
    return {
        key: column if column.is_companion else replace(column, was=earlier[column.path])
        for key, column in columns.items()
    }


def _classed(columns: Mapping[Key, Column], same: Mapping[str, str], classes: Mapping[str, str]) -> dict[Key, Column]:
    """What the newest version says of a question holds for every column that it ever had, unless that is stricter."""
    return {
        key: replace(
            column,
            disclosure=_stricter(column.disclosure, classes.get(same.get(column.path, column.path), "")),
        )
        for key, column in columns.items()
    }


def _stricter(one: str, other: str) -> str:
    return max(one, other, key=lambda given: _STRICTNESS.index(given) if given in _STRICTNESS else len(_STRICTNESS))


def _refreshed(column: Column, told: Column) -> Column:
    """What a version tells of the question of a column; the newest version, which comes last, has the last word."""
    if column.path == told.path:
        # A version that says nothing of its class does not take it away.
        disclosure = told.disclosure or column.disclosure
        return replace(told, name=column.name, was=column.was, alias=column.alias, disclosure=disclosure)
    return column if told.path in column.was else replace(column, was=(*column.was, told.path))


def _questions(form: Form, repeat: str) -> list[Question]:
    """Questions with an answer whose innermost repeat is `repeat`, in the order of the sheet."""
    inside = [q for q in form.questions if q.has_answer and form.repeat_of(q.path) == repeat]
    return inside if repeat else [*inside, *_META]


def _column(question: Question, kind: Kind) -> Column:
    return Column(
        name=question.name,
        path=question.path,
        kind=kind,
        concept=question.concept,
        # A place that nobody has classed is an identifier.
        disclosure=question.disclosure or ("direct" if kind in _PLACES else ""),
        hxl=question.hxl,
        list_name=question.list_name,
        labels=dict(question.labels),
    )
