"""Our own checks of a form that builds: what makes it unsafe, unclear or impossible to publish."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from dialogkit.forms.constants import TEAM_CONSTANTS
from dialogkit.forms.parse import AUDIT
from dialogkit.model.disclosure import CLASSES
from dialogkit.model.form import Form, Question
from dialogkit.problem import Problem

#: Types that tell who or where the phone is. Never in a form: instruments.md section 2.
FORBIDDEN: Final = frozenset(
    {
        "deviceid",
        "phonenumber",
        "simserial",
        "subscriberid",
        "email",
        "username",
        "start-geopoint",
        "background-geopoint",
        "background-audio",
    }
)
_PLACEHOLDER: Final = re.compile(r"[\[\]]")
_SPLIT_ON_SPACES: Final = ("select_multiple", "rank")
_SHOWN: Final = 8


def lint(form: Form, file: str) -> tuple[Problem, ...]:
    """What to improve in a form; `file` names it in the problems. Reasons not to serve it are warnings here."""
    unfit = (replace(problem, severity="warning", where=f"{file}, {problem.where}") for problem in _unfit(form))
    checks = (_version, _translations, _choice_translations, _disclosure, _unknown_classes, _spaces, _case)
    found = (replace(problem, where=f"{file}, {problem.where}") for check in checks for problem in check(form))
    return (*unfit, *found)


def unfit_to_serve(form: Form) -> tuple[Problem, ...]:
    """Why this form must not reach a phone: a placeholder is left, or it would record who or where the phone is."""
    return tuple(replace(problem, where=f"{form.form_id}, {problem.where}") for problem in _unfit(form))


def _unfit(form: Form) -> Iterator[Problem]:
    for question in form.questions:
        if question.name in TEAM_CONSTANTS and _PLACEHOLDER.search(question.calculation):
            message = f"{question.name} still holds a placeholder in brackets, and the consent notes show it to people."
            fix = f'Write {question.name} = "…" under [workspace] in dialogkit.toml, or fill the cell.'
            yield Problem("FORM-030", "error", _at(question, "calculation"), message, fix)
        if question.type in FORBIDDEN:
            message = f"A question of type {question.type} records who or where the phone is."
            fix = "Take the row out: it puts people at risk and nothing needs it."
            yield Problem("FORM-031", "error", _at(question, "type"), message, fix)
    if "location" in form.settings.get(AUDIT, ""):
        fix = "Take the location parameters out of the audit row, or the row itself."
        yield Problem("FORM-031", "error", "survey, audit, parameters", "The audit records where the phone is.", fix)


def _version(form: Form) -> Iterator[Problem]:
    if not form.version:
        message = "The form has no version, so answers to different wordings cannot be told apart."
        fix = "Write version in the settings sheet, such as 2026112001 (year, month, day, number)."
        yield Problem("FORM-032", "warning", "settings, version", message, fix)


def _translations(form: Form) -> Iterator[Problem]:
    for question in form.questions:
        texts = {"label": question.labels, "hint": question.hints, "constraint_message": question.constraint_messages}
        for column, by_language in texts.items():
            yield from _untranslated(form, _at(question, column), [by_language])
    for section in form.sections:
        yield from _untranslated(form, f"survey, row {section.row}, label", [section.labels])


def _choice_translations(form: Form) -> Iterator[Problem]:
    for name, choices in form.choice_lists.items():
        yield from _untranslated(form, f"choices, list {name}, label", [choice.labels for choice in choices])


def _untranslated(form: Form, where: str, texts: Iterable[Mapping[str, str]]) -> Iterator[Problem]:
    missing = dict.fromkeys(form.languages, 0)
    for by_language in texts:
        for language in missing:
            missing[language] += bool(by_language) and language not in by_language
    lacking = [language for language, count in missing.items() if count]
    if lacking:
        message = f"The text is missing in: {', '.join(lacking)}."
        yield Problem("FORM-033", "warning", where, message, "Fill the cell in every language of the form.")


def _disclosure(form: Form) -> Iterator[Problem]:
    without = [question.name for question in form.questions if question.has_answer and not question.disclosure]
    if without:
        message = f"{_some(without)} without a disclosure class: they cannot be published."
        fix = f"Add a column disclosure to the survey sheet and write one of: {', '.join(CLASSES)}."
        yield Problem("FORM-034", "warning", "survey, disclosure", message, fix)


def _unknown_classes(form: Form) -> Iterator[Problem]:
    for question in form.questions:
        if question.disclosure and question.disclosure not in CLASSES:
            message = f"“{question.disclosure}” is not a disclosure class."
            fix = f"Write one of: {', '.join(CLASSES)}."
            yield Problem("FORM-037", "error", _at(question, "disclosure"), message, fix)


def _spaces(form: Form) -> Iterator[Problem]:
    used = {question.list_name for question in form.questions if question.type in _SPLIT_ON_SPACES}
    for name in sorted(used & form.choice_lists.keys()):
        spaced = [choice.name for choice in form.choice_lists[name] if " " in choice.name]
        if spaced:
            message = f"{_some(spaced)} with a space: answers to it cannot be taken apart again."
            fix = "Put an underscore where the space is."
            yield Problem("FORM-035", "error", f"choices, list {name}, name", message, fix)


def _case(form: Form) -> Iterator[Problem]:
    first: dict[str, Question] = {}
    for question in form.questions:
        other = first.setdefault(question.name.lower(), question)
        if other.name != question.name:
            message = f"{question.name} and {other.name} differ only in capital letters, which databases do not see."
            yield Problem("FORM-036", "warning", _at(question, "name"), message, "Give one of them another name.")


def _at(question: Question, column: str) -> str:
    return f"survey, row {question.row}, {column}" if question.row else f"survey, {question.path}, {column}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
