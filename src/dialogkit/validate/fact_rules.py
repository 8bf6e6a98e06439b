"""The rules of a form that need no logic: known versions, sealed answers, drift, types, choice lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from dialogkit import sql
from dialogkit.model.form import SELECT_TYPES, Question
from dialogkit.model.staged import Staged
from dialogkit.model.submission import DAMAGED, NO_KEY, WRONG_KEY
from dialogkit.model.table import Kind
from dialogkit.validate.by_version import Judged, Versions
from dialogkit.validate.conditions import choice_names
from dialogkit.validate.resolve import CAN_MISFIT, Rows
from dialogkit.validate.rule import Rule
from dialogkit.validate.texts import messages

#: Why encrypted answers are still closed (`Submission.sealed`), and what to do.
_SEALED: Final[Mapping[str, str]] = {
    NO_KEY: "Pull once more with the private key of the form: dialogkit pull --full --private-key FILE. "
    "Nothing is lost: the encrypted files are kept with the batch.",
    WRONG_KEY: "Find the private key that belongs to the form's public_key, then: dialogkit pull "
    "--full --private-key FILE. Nothing is lost: the encrypted files are kept with the batch.",
    DAMAGED: "Pull again when the phone has sent all files. If it stays so, ask for the form to be sent again: "
    "the phone may still have it.",
}


def fact_rules(versions: Versions) -> Iterator[Rule]:
    """The rules, those of the whole submission first."""
    staged = versions.staged
    yield _version(staged)
    yield from _sealed(staged)
    yield _drift(staged)
    yield from _types(staged)
    for path in dict.fromkeys(question.path for form in staged.forms.values() for question in form.questions):
        yield from versions.rule("FORM-CHOICE", "hold", path, _not_a_choice)


def closed(staged: Staged) -> str:
    """A query of the submissions whose answers are still encrypted: of these, nothing else can be said."""
    return f"SELECT submission_id FROM {sql.name(staged.drift)} WHERE path = 'base64EncryptedKey'"


def _version(staged: Staged) -> Rule:
    query = (
        f"SELECT submission_id, '' FROM {sql.name(staged.submissions)} WHERE state = 'new' "
        f"AND coalesce(form_version, '') NOT IN ({sql.texts(staged.forms)}) "
        f"AND submission_id NOT IN ({closed(staged)})"
    )
    fix = "Put the workbook of that version into forms/, or ask which form the phone has, then land again."
    text = messages("FORM-VERSION", staged.form)
    return Rule("FORM-VERSION", "hold", "", staged.tables[0].name, text, fix=fix, query=query)


def _sealed(staged: Staged) -> Iterator[Rule]:
    """Encrypted answers were never judged, not even for consent: they wait until they can be opened."""
    told = f"SELECT id, '' FROM {sql.name(staged.raw)} WHERE coalesce(sealed, '')"
    for reason, fix in _SEALED.items():
        query = f"{told} = {sql.text(reason)}"
        if reason == NO_KEY:  # what an older batch has not told is the plainest of the reasons
            query += f" UNION ALL {told} NOT IN ({sql.texts(_SEALED)}) AND id IN ({closed(staged)})"
        text = messages(f"FORM-SEALED:{reason}", staged.form)
        yield Rule(f"FORM-SEALED:{reason}", "hold", "", staged.tables[0].name, text, fix=fix, query=query)


def _drift(staged: Staged) -> Rule:
    query = (
        f"SELECT submission_id, row FROM {sql.name(staged.drift)} WHERE submission_id NOT IN ({closed(staged)}) "
        # It answers a renamed question under both of its names; no version asks both.
        f"UNION ALL SELECT submission_id, row FROM {sql.name(staged.issues)} WHERE kind = 'twice'"
    )
    fix = "Nothing is lost: they are kept in ops.drift. Check that phones have the same form as this workspace."
    text = messages("FORM-DRIFT", staged.form)
    return Rule("FORM-DRIFT", "note", "", staged.tables[0].name, text, fix=fix, query=query)


def _types(staged: Staged) -> Iterator[Rule]:
    for table in staged.tables:
        paths = [path for one in table.columns if one.kind in CAN_MISFIT for path in (one.path, *one.was)]
        for path in dict.fromkeys(paths):
            query = (
                f"SELECT submission_id, row FROM {sql.name(staged.issues)} "
                f"WHERE path = {sql.text(path)} AND kind <> 'twice'"
            )
            question = _latest(staged, path)
            if question:
                text = messages("FORM-TYPE", staged.form, question)
                yield Rule(f"FORM-TYPE:{path}", "hold", path, table.name, text, query=query)


def _not_a_choice(rows: Rows, path: str) -> Judged | None:
    question = rows.form.by_path.get(path)
    if question is None or question.type not in SELECT_TYPES:
        return None  # a repeat in this version, or no choice
    names = choice_names(rows, question)
    kind: Kind = "select_one" if question.type == "select_one" else "select_multiple"
    column = next((column for column in rows.columns(path) if column.kind == kind), None)
    if not names or not column:
        return None
    # `or_other` makes a question of its own for the text, and one more choice.
    other = ["other"] if f"{path}_other" in rows.form.by_path else []
    known = sql.texts(dict.fromkeys([*names, *other]))
    cell = f"{rows.own}.{sql.name(column.name)}"
    if kind == "select_one":
        return Judged(f"{cell} IS NOT NULL", f"{cell} NOT IN ({known})")
    # A fifth of the cost of list_has_all.
    return Judged(f"{cell} IS NOT NULL", f"len(list_filter({cell}, lambda x: x NOT IN ({known}))) > 0")


def _latest(staged: Staged, path: str) -> Question | None:
    return next((form.by_path[path] for form in reversed(list(staged.forms.values())) if path in form.by_path), None)
