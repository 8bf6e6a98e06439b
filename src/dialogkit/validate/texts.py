"""What the rules of a form say to people, in the three languages of the project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dialogkit.model.form import Form, Question, Section

LANGUAGES: Final = ("en", "fr", "es")
FIX: Final = (
    "Correct it on the server and pull again, or: dialogkit correct add, "
    'or: dialogkit held release SUBMISSION --reason "…"'
)

#: Rule → language → text; `{label}` is the question's label, never an answer.
_TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "FORM-VERSION": {
        "en": "The submission was made with a version of the form that is not in this workspace.",
        "fr": "L’envoi a été fait avec une version du formulaire absente de cet espace de travail.",
        "es": "El envío se hizo con una versión del formulario que no está en este espacio de trabajo.",
    },
    "FORM-DRIFT": {
        "en": "There are answers to questions that no known version of the form has.",
        "fr": "Il y a des réponses à des questions qu’aucune version connue du formulaire ne contient.",
        "es": "Hay respuestas a preguntas que no están en ninguna versión conocida del formulario.",
    },
    "FORM-SEALED:no key": {
        "en": "The answers are encrypted, and no private key was given to open them.",
        "fr": "Les réponses sont chiffrées, et aucune clé privée n’a été donnée pour les ouvrir.",
        "es": "Las respuestas están cifradas y no se dio ninguna clave privada para abrirlas.",
    },
    "FORM-SEALED:wrong key": {
        "en": "The answers are encrypted, and the private key that was given does not open them.",
        "fr": "Les réponses sont chiffrées, et la clé privée donnée ne les ouvre pas.",
        "es": "Las respuestas están cifradas y la clave privada que se dio no las abre.",
    },
    "FORM-SEALED:damaged": {
        "en": "The answers are encrypted, and a file of the submission is missing or damaged.",
        "fr": "Les réponses sont chiffrées, et un fichier de l’envoi manque ou est endommagé.",
        "es": "Las respuestas están cifradas y un archivo del envío falta o está dañado.",
    },
    "FORM-TYPE": {
        "en": "“{label}”: the answer is not of the kind that the question asks for (number, date, place…).",
        "fr": "« {label} » : la réponse n’est pas du type demandé (nombre, date, lieu…).",
        "es": "«{label}»: la respuesta no es del tipo que se pide (número, fecha, lugar…).",
    },
    "FORM-CHOICE": {
        "en": "“{label}”: an answer is not one of the choices of the form.",
        "fr": "« {label} » : une réponse n’est pas parmi les choix du formulaire.",
        "es": "«{label}»: una respuesta no está entre las opciones del formulario.",
    },
    "FORM-REQUIRED": {
        "en": "“{label}” must be answered and is empty.",
        "fr": "« {label} » est obligatoire et n’a pas de réponse.",
        "es": "«{label}» es obligatoria y no tiene respuesta.",
    },
    "FORM-RELEVANT": {
        "en": "“{label}” has an answer, though the form does not ask it here.",
        "fr": "« {label} » a une réponse, alors que le formulaire ne la demande pas ici.",
        "es": "«{label}» tiene una respuesta, aunque el formulario no la pide aquí.",
    },
    "FORM-CONSTRAINT": {
        "en": "“{label}”: the answer is not one that the form allows.{said}",
        "fr": "« {label} » : le formulaire n’accepte pas cette réponse.{said}",
        "es": "«{label}»: el formulario no admite esta respuesta.{said}",
    },
    "FORM-FILTER": {
        "en": "“{label}”: an answer is not one of the choices that the form offers after the other answers.",
        "fr": "« {label} » : une réponse n’est pas un des choix que le formulaire propose d’après les autres.",
        "es": "«{label}»: una respuesta no está entre las opciones que el formulario ofrece según las demás.",
    },
    "FORM-CALCULATION": {
        "en": "“{label}” is not what the form calculates from the other answers.",
        "fr": "« {label} » n’est pas ce que le formulaire calcule d’après les autres réponses.",
        "es": "«{label}» no es lo que el formulario calcula a partir de las demás respuestas.",
    },
    "FORM-COUNT": {
        "en": "“{label}” has more or fewer entries than the form asks for.",
        "fr": "« {label} » a plus ou moins d’entrées que le formulaire n’en demande.",
        "es": "«{label}» tiene más o menos entradas de las que el formulario pide.",
    },
    "FORM-ROWS": {
        "en": "“{label}” was answered with yes, and nothing was added.",
        "fr": "La réponse à « {label} » est oui, et rien n’a été ajouté.",
        "es": "La respuesta a «{label}» es sí, y no se añadió nada.",
    },
}
_LONGEST: Final = 120


def messages(kind: str, form: Form, part: Question | Section | None = None) -> dict[str, str]:
    """What a rule says, by language, with the label of the question or its path."""
    return {
        language: text.format(label=label_of(form, part, language) if part else "", said=_said(form, part, language))
        for language, text in _TEXTS[kind].items()
    }


def label_of(form: Form, part: Question | Section, language: str) -> str:
    """The label in a language (`fr` or `Français (fr)`), else the form's default, else the name."""
    labels = part.labels
    keys = [key for key in labels if key == language or key.endswith(f"({language})")]
    found = next((labels[key] for key in [*keys, form.default_language, *labels] if labels.get(key)), part.name)
    plain = " ".join(found.split())
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"


def _said(form: Form, part: Question | Section | None, language: str) -> str:
    """What the form itself says when its constraint is broken."""
    texts = part.constraint_messages if isinstance(part, Question) else {}
    keys = [key for key in texts if key == language or key.endswith(f"({language})")]
    found = next((texts[key] for key in [*keys, form.default_language, *texts] if texts.get(key)), "")
    return f" {' '.join(found.split())}" if found.strip() else ""
