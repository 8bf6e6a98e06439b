"""The rules that a form itself makes: versions, types, choices, required answers, rows behind a yes, drift.

Rules belong to a form version: a submission is judged by the version that it was made with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from dialogkit import sql
from dialogkit.logic.compile import compile_condition
from dialogkit.logic.parse import Binary, Name, NotDecidable, Text, parse
from dialogkit.model.form import Form, Question, Section
from dialogkit.model.report import Action
from dialogkit.model.staged import Staged
from dialogkit.model.submission import DAMAGED, NO_KEY, WRONG_KEY
from dialogkit.model.table import Kind, Table
from dialogkit.validate.resolve import Rows
from dialogkit.validate.rule import Rule
from dialogkit.validate.texts import messages

_TYPED: Final[frozenset[Kind]] = frozenset(
    {"integer", "decimal", "date", "time", "datetime", "geopoint", "geotrace", "geoshape"}
)
_YES: Final = frozenset({"yes", "true", "true()"})
_NO: Final = frozenset({"", "no", "false", "false()"})
#: Why encrypted answers are still closed (`Submission.sealed`), and what to do.
_SEALED: Final[Mapping[str, str]] = {
    NO_KEY: "Pull once more with the private key of the form: dialogkit pull --full --private-key FILE. "
    "Nothing is lost: the encrypted files are kept with the batch.",
    WRONG_KEY: "Find the private key that belongs to the form's public_key, then: dialogkit pull "
    "--full --private-key FILE. Nothing is lost: the encrypted files are kept with the batch.",
    DAMAGED: "Pull again when the phone has sent all files. If it stays so, ask for the form to be sent again: "
    "the phone may still have it.",
}

#: SQL condition of a violation in the rows of one version; None when the version has no such rule.
_Condition = Callable[[Rows, str], "str | None"]


def rules_of(staged: Staged) -> tuple[Rule, ...]:
    """The rules that the versions of the form make for this batch.

    A blank of an import is "not stated in the source": it never breaks a rule (instruments.md 3.6).
    """
    rules = [_version(staged), *_sealed(staged), _drift(staged), *_types(staged), *_choices(staged)]
    if staged.origin != "import":
        rules += _required(staged)
    return (*rules, *_rows(staged))


def _main(staged: Staged) -> Table:
    return staged.tables[0]


def _version(staged: Staged) -> Rule:
    query = (
        f"SELECT submission_id, '' FROM {sql.name(staged.submissions)} WHERE state = 'new' "
        f"AND coalesce(form_version, '') NOT IN ({sql.texts(staged.forms)}) "
        f"AND submission_id NOT IN ({_closed(staged)})"
    )
    fix = "Put the workbook of that version into forms/, or ask which form the phone has, then land again."
    return Rule(
        "FORM-VERSION", "hold", "", _main(staged).name, messages("FORM-VERSION", staged.form), fix=fix, query=query
    )


def _sealed(staged: Staged) -> Iterator[Rule]:
    """Encrypted answers were never judged, not even for consent: they wait until they can be opened."""
    told = f"SELECT id, '' FROM {sql.name(staged.raw)} WHERE coalesce(sealed, '')"
    for reason, fix in _SEALED.items():
        query = f"{told} = {sql.text(reason)}"
        if reason == NO_KEY:  # what an older batch has not told is the plainest of the reasons
            query += f" UNION ALL {told} NOT IN ({sql.texts(_SEALED)}) AND id IN ({_closed(staged)})"
        text = messages(f"FORM-SEALED:{reason}", staged.form)
        yield Rule(f"FORM-SEALED:{reason}", "hold", "", _main(staged).name, text, fix=fix, query=query)


def _closed(staged: Staged) -> str:
    """A query of the submissions whose answers are still encrypted: of these, nothing else can be said."""
    return f"SELECT submission_id FROM {sql.name(staged.drift)} WHERE path = 'base64EncryptedKey'"


def _drift(staged: Staged) -> Rule:
    query = (
        f"SELECT submission_id, row FROM {sql.name(staged.drift)} WHERE submission_id NOT IN ({_closed(staged)}) "
        # It answers a renamed question under both of its names; no version asks both.
        f"UNION ALL SELECT submission_id, row FROM {sql.name(staged.issues)} WHERE kind = 'twice'"
    )
    fix = "Nothing is lost: they are kept in ops.drift. Check that phones have the same form as this workspace."
    return Rule("FORM-DRIFT", "note", "", _main(staged).name, messages("FORM-DRIFT", staged.form), fix=fix, query=query)


def _types(staged: Staged) -> Iterator[Rule]:
    for table in staged.tables:
        paths = [path for one in table.columns if one.kind in _TYPED for path in (one.path, *one.was)]
        for path in dict.fromkeys(paths):
            query = (
                f"SELECT submission_id, row FROM {sql.name(staged.issues)} "
                f"WHERE path = {sql.text(path)} AND kind <> 'twice'"
            )
            question = _latest(staged, path)
            if question:
                text = messages("FORM-TYPE", staged.form, question)
                yield Rule(f"FORM-TYPE:{path}", "hold", path, table.name, text, query=query)


def _choices(staged: Staged) -> Iterator[Rule]:
    for path in _paths(staged):
        yield from _by_version(staged, "FORM-CHOICE", "hold", path, _not_a_choice)


def _not_a_choice(rows: Rows, path: str) -> str | None:
    question = rows.form.by_path.get(path)
    if question is None:  # a repeat in this version
        return None
    choices = rows.form.choice_lists.get(question.list_name)
    kind: Kind = "select_one" if question.type == "select_one" else "select_multiple"
    column = next((column for column in rows.columns(path) if column.kind == kind), None)
    if not choices or question.type not in ("select_one", "select_multiple", "rank") or not column:
        return None
    # `or_other` makes a question of its own for the text, and one more choice.
    other = ["other"] if f"{path}_other" in rows.form.by_path else []
    names = sql.texts(dict.fromkeys([*(choice.name for choice in choices), *other]))
    cell = f"{rows.own}.{sql.name(column.name)}"
    if kind == "select_one":
        return f"{cell} NOT IN ({names})"
    return f"len(list_filter({cell}, lambda x: x NOT IN ({names}))) > 0"  # a fifth of the cost of list_has_all


def _required(staged: Staged) -> Iterator[Rule]:
    for path in _paths(staged):
        yield from _by_version(staged, "FORM-REQUIRED", "hold", path, _missing)


def _missing(rows: Rows, path: str) -> str | None:
    question = rows.form.by_path.get(path)
    if question is None:  # a repeat in this version
        return None
    required = question.required.strip()
    if required.lower() in _NO or question.type == "calculate" or not question.has_answer:
        return None
    conditions = [rows.is_blank(path), *_relevant(rows, path, question.relevant)]
    if required.lower() not in _YES:
        conditions.append(compile_condition(required, rows.resolve))
    if any(column.kind in _TYPED for column in rows.columns(path)):
        issues = sql.name(rows.staged.issues)
        conditions.append(
            f"NOT EXISTS (SELECT 1 FROM {issues} i WHERE i.submission_id = m._submission_id "
            f"AND i.row = {rows.row} AND i.path = {sql.text(path)})"
        )
    return " AND ".join(conditions)


def _rows(staged: Staged) -> Iterator[Rule]:
    """A yes that opens a repeat needs a row: an error on a phone, a note where a page says no more (findings.md 3)."""
    action: Action = "note" if staged.origin == "import" else "hold"
    for path in dict.fromkeys(path for form in staged.forms.values() for path in sorted(form.repeats)):
        yield from _by_version(staged, "FORM-ROWS", action, path, _no_rows)


def _no_rows(rows: Rows, repeat: str) -> str | None:
    section = _section(rows.form, repeat)
    gate = _gate(section)
    if not section or not gate:
        return None
    return " AND ".join([*_relevant(rows, repeat, section.relevant), rows.no_row(repeat)])


def _gate(section: Section | None) -> str:
    """The name in a relevance that is exactly `${name} = 'yes'`."""
    try:
        tree = parse(section.relevant) if section else None
    except NotDecidable:
        return ""
    match tree:
        case Binary("=", Name(name), Text("yes")):
            return name
    return ""


def _relevant(rows: Rows, path: str, own: str) -> list[str]:
    """Conditions of relevance: of every section above a path, and its own."""
    above = [section.relevant for section in rows.form.sections_above(path)]
    return [compile_condition(logic, rows.resolve) for logic in [*above, own] if logic.strip()]


def _by_version(staged: Staged, kind: str, action: Action, path: str, condition: _Condition) -> Iterator[Rule]:
    """The rule of one path over all versions that have it; nothing when none does."""
    having = {
        version: Rows(staged, _table(staged, form.repeat_of(path)), form)
        for version, form in staged.forms.items()
        if path in form.by_path or path in form.repeats
    }
    conditions: dict[tuple[str, str], list[str]] = {}
    undecided: list[str] = []
    for version, rows in having.items():
        try:
            found = condition(rows, path)
        except NotDecidable as error:
            undecided.append(f"version {version}: {error.reason}")
        else:
            if found:
                conditions.setdefault((_select(rows), found), []).append(version)
    if not (conditions or undecided):
        return
    latest = list(having.values())[-1]
    label = latest.form.by_path.get(path) or _gate_question(latest.form, path)
    yield Rule(
        f"{kind}:{path}",
        action,
        path,
        latest.table.name,
        messages(kind, latest.form, label),
        query=_query(conditions),
        undecided=tuple(undecided),
    )


def _select(rows: Rows) -> str:
    return f"SELECT m._submission_id, {rows.row} FROM {rows.source}"


def _query(conditions: Mapping[tuple[str, str], list[str]]) -> str:
    """A pass for each table: a path may be in a group of one version and in a repeat of another."""
    passes: dict[str, list[str]] = {}
    for (select, condition), versions in conditions.items():
        passes.setdefault(select, []).append(f"(m._form_version IN ({sql.texts(versions)}) AND {condition})")
    return " UNION ALL ".join(f"{select} WHERE {' OR '.join(parts)}" for select, parts in passes.items())


def _paths(staged: Staged) -> list[str]:
    """Paths of questions over all versions, in the order of the sheets."""
    return list(dict.fromkeys(question.path for form in staged.forms.values() for question in form.questions))


def _latest(staged: Staged, path: str) -> Question | None:
    return next((form.by_path[path] for form in reversed(list(staged.forms.values())) if path in form.by_path), None)


def _table(staged: Staged, repeat: str) -> Table:
    return next(table for table in staged.tables if table.repeat == repeat)


def _section(form: Form, path: str) -> Section | None:
    return next((section for section in form.sections if section.path == path), None)


def _gate_question(form: Form, repeat: str) -> Question | Section | None:
    section = _section(form, repeat)
    return next(iter(form.named(_gate(section))), section)
