"""One rule over all versions of a form: each submission is judged by the version that it was made with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from dialogkit import sql
from dialogkit.logic.parse import NeedsPython, NotDecidable
from dialogkit.model.form import Form, Question, Section
from dialogkit.model.report import Action
from dialogkit.model.staged import Staged
from dialogkit.model.table import Table
from dialogkit.validate.conditions import part_at
from dialogkit.validate.phone_day import day_in_sql
from dialogkit.validate.resolve import Rows
from dialogkit.validate.rule import Rule
from dialogkit.validate.texts import messages


@dataclass(frozen=True)
class Judged:
    """SQL conditions on the rows of one version.

    Args:
        looked_at: the rows that the rule is about.
        broken: those among them that break it; never NULL.
    """

    looked_at: str
    broken: str


#: A question or section, if there is one.
Part = Question | Section | None
#: What a rule says of a path in the rows of one version; None when the version has no such rule.
Judge = Callable[[Rows, str], "Judged | None"]


@dataclass(frozen=True)
class Versions:
    """The batch as the rules of its form see it.

    Args:
        staged: the batch, or a copy of it without the answers that are not relevant.
    """

    staged: Staged
    _made: dict[tuple[str, str], Rows] = field(default_factory=dict, init=False, repr=False, compare=False)

    def rows(self, form: Form, path: str) -> Rows:
        """The rows in which the question, or the rows in which the repeat, at a path stands; made once for a table."""
        key = (form.version, form.repeat_of(path))
        if key not in self._made:
            media = self.staged.media.get(form.version, {})
            day = day_in_sql(form, self.staged.tables[0], "m")
            self._made[key] = Rows(self.staged, self._table(key[1]), form, media=media, today=day)
        return self._made[key]

    def having(self, path: str) -> dict[str, Rows]:
        """The rows of every version that has this question or section, by version."""
        return {
            version: self.rows(form, path)
            for version, form in self.staged.forms.items()
            if path in form.by_path or path in form.repeats
        }

    def rule(
        self, kind: str, action: Action, path: str, judge: Judge, named: Callable[[Form, str], Part] = part_at
    ) -> Iterator[Rule]:
        """The rule of one path over all versions that have it; nothing when none does. `named`: what its words name."""
        said: dict[tuple[str, Judged], list[str]] = {}
        undecided: list[str] = []
        by_python: list[str] = []
        having = self.having(path)
        for version, rows in having.items():
            try:
                found = judge(rows, path)
            except NeedsPython:
                by_python.append(version)
            except NotDecidable as error:
                undecided.append(f"version {version}: {error.reason}")
            else:
                if found:
                    said.setdefault((_select(rows), found), []).append(version)
        if not (said or undecided or by_python):
            return
        latest = list(having.values())[-1]
        yield Rule(
            f"{kind}:{path}",
            action,
            path,
            latest.table.name,
            messages(kind, latest.form, named(latest.form, path)),
            query=_query(said, lambda one: f"{one.looked_at} AND {one.broken}"),
            judged=_query(said, lambda one: one.looked_at),
            undecided=tuple(undecided),
            by_python=tuple(by_python),
        )

    def _table(self, repeat: str) -> Table:
        return next(table for table in self.staged.tables if table.repeat == repeat)


def _select(rows: Rows) -> str:
    return f"SELECT m._submission_id, {rows.row} FROM {rows.source}"


def _query(said: Mapping[tuple[str, Judged], list[str]], condition: Callable[[Judged], str]) -> str:
    """A pass for each table: a path may be in a group of one version and in a repeat of another."""
    passes: dict[str, list[str]] = {}
    for (select, judged), versions in said.items():
        passes.setdefault(select, []).append(f"(m._form_version IN ({sql.texts(versions)}) AND {condition(judged)})")
    return " UNION ALL ".join(f"{select} WHERE {' OR '.join(parts)}" for select, parts in passes.items())
