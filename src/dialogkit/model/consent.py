"""Which submissions may not land at all, and why (instruments.md 3.1 and 3.6).

Told by concepts, so that it holds for any form that uses them, under any question name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dialogkit.model.form import Form
from dialogkit.model.submission import Answers, Origin

NO_CONSENT: Final = "no consent"
DELETE_CHOSEN: Final = "the person chose delete"
IMPORT_THROUGH_FORM_SERVER: Final = "import through a form server"


def refusal(form: Form, answers: Answers, origin: Origin) -> str:
    """Why these answers must never land, or `""`.

    Args:
        form: the version that the submission was made with.
        answers: the canonical answers.
        origin: how it came; only an import may fill `meta.source_ref` or say `public_source`.
    """
    if form.by_concept.keys().isdisjoint(_ASKED):
        return ""
    said = {concept: _texts(form, answers, concept) for concept in _ASKED}
    if origin != "import" and (said["meta.source_ref"] or "public_source" in said["consent.basis"]):
        return IMPORT_THROUGH_FORM_SERVER
    if "delete" in said["consent.final_choice"]:
        return DELETE_CHOSEN
    gated = "consent.gate" in form.by_concept
    refused = "no" in said["consent.adult"] or "no" in said["consent.record"]
    if refused or (gated and said["consent.gate"] not in ({"1"}, {"1.0"})):
        return NO_CONSENT
    return ""


_ASKED = (
    "meta.source_ref",
    "consent.basis",
    "consent.adult",
    "consent.record",
    "consent.gate",
    "consent.final_choice",
)


def _texts(form: Form, answers: Answers, concept: str) -> set[str]:
    """Everything that was said to a question: an instance may hold an element twice, and each of them counts."""
    question = form.by_concept.get(concept)
    value = answers.get(question.path, "") if question else ""
    return {text.strip() for text in _leaves(value)} - {""}


def _leaves(value: str | list[Answers]) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    else:
        for row in value:
            for inside in row.values():
                yield from _leaves(inside)
