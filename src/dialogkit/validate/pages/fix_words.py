"""The words of the lists of what is to be corrected: for those who sent it, in the three languages of the project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dialogkit.validate.texts import LANGUAGES

_WORDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "title": ("To correct", "À corriger", "Para corregir"),
    "one": ("1 submission waits for a correction.", "1 envoi attend une correction.", "1 envío espera una corrección."),
    "many": (
        "{n} submissions wait for a correction.",
        "{n} envois attendent une correction.",
        "{n} envíos esperan una corrección.",
    ),
    "organiser": ("For:", "Pour :", "Para:"),
    "country": ("Country:", "Pays :", "País:"),
    "no organiser": ("(no name given)", "(sans nom)", "(sin nombre)"),
    "no country": ("(not said)", "(non précisé)", "(no indicado)"),
    "list of": ("List of {day}", "Liste du {day}", "Lista del {day}"),
    "how": (
        "They are kept safe and are not used until then. When you have corrected them, nothing else is to be done.",
        "Ils sont conservés et ne sont pas utilisés d’ici là. Une fois la correction faite, il n’y a rien d’autre à "
        "faire.",
        "Se guardan y no se usan hasta entonces. Cuando los haya corregido, no hay que hacer nada más.",
    ),
    "submission": ("Submission", "Envoi", "Envío"),
    "sent": ("sent on {day}", "envoyé le {day}", "enviado el {day}"),
    "row": ("row {row}", "ligne {row}", "fila {row}"),
    "edit": ("Open it to correct it", "L’ouvrir pour le corriger", "Abrirlo para corregirlo"),
    "edit list": (
        "Open the table and look for {id}",
        "Ouvrir le tableau et chercher {id}",
        "Abrir la tabla y buscar {id}",
    ),
    "no link": (
        "Open it among the sent forms of ODK Collect and edit it there. If your phone does not offer that, tell the "
        "team what is right: they can correct it.",
        "Ouvrez-le parmi les formulaires envoyés d’ODK Collect et modifiez-le. Si votre téléphone ne le propose pas, "
        "dites à l’équipe ce qui est juste : elle peut le corriger.",
        "Ábralo entre los formularios enviados de ODK Collect y edítelo. Si su teléfono no lo ofrece, diga al equipo "
        "qué es lo correcto: puede corregirlo.",
    ),
    "whole": ("The whole submission", "L’envoi entier", "Todo el envío"),
    "team": (
        "The team looks at this one: nothing is to be done.",
        "L’équipe s’en occupe : il n’y a rien à faire.",
        "El equipo se ocupa: no hay que hacer nada.",
    ),
    "gone": (
        "A rule of the team is not met.",
        "Une règle de l’équipe n’est pas respectée.",
        "No se cumple una regla del equipo.",
    ),
    "do FORM-TYPE": (
        "Enter it again as the question asks for it.",
        "Saisissez-la de nouveau comme la question le demande.",
        "Escríbala de nuevo como la pide la pregunta.",
    ),
    "do FORM-CHOICE": (
        "Choose again from the list.",
        "Choisissez de nouveau dans la liste.",
        "Elija de nuevo en la lista.",
    ),
    "do FORM-REQUIRED": ("Answer the question.", "Répondez à la question.", "Responda a la pregunta."),
    "do FORM-RELEVANT": (
        "Take the answer out, or correct the earlier answer that hides this question.",
        "Retirez la réponse, ou corrigez la réponse précédente qui masque cette question.",
        "Quite la respuesta o corrija la respuesta anterior que oculta esta pregunta.",
    ),
    "do FORM-CONSTRAINT": (
        "Check the answer and correct it.",
        "Vérifiez la réponse et corrigez-la.",
        "Revise la respuesta y corríjala.",
    ),
    "do FORM-CALCULATION": (
        "Open the submission and save it again: the form works it out anew.",
        "Ouvrez l’envoi et enregistrez-le de nouveau : le formulaire le recalcule.",
        "Abra el envío y guárdelo de nuevo: el formulario lo vuelve a calcular.",
    ),
    "do FORM-COUNT": (
        "Add the rows that are missing, or take out those that are too many.",
        "Ajoutez les lignes qui manquent, ou retirez celles qui sont en trop.",
        "Añada las filas que faltan o quite las que sobran.",
    ),
    "do FORM-ROWS": (
        "Add what there is, or change the answer to no.",
        "Ajoutez ce qu’il y a, ou changez la réponse en non.",
        "Añada lo que haya o cambie la respuesta a no.",
    ),
    "do other": (
        "Check it and correct it. If it is right as it is, tell the team.",
        "Vérifiez et corrigez. Si c’est juste ainsi, dites-le à l’équipe.",
        "Revíselo y corríjalo. Si está bien así, dígaselo al equipo.",
    ),
    # the team's own page
    "index": (
        "Lists of what is to be corrected",
        "Listes de ce qui est à corriger",
        "Listas de lo que hay que corregir",
    ),
    "index about": (
        "For the team only: whose list each file is. The text beside each page is for messengers.",
        "Réservé à l’équipe : à qui revient chaque fichier. Le texte à côté de chaque page sert aux messageries.",
        "Solo para el equipo: de quién es cada archivo. El texto junto a cada página es para mensajería.",
    ),
    "file": ("Page", "Page", "Página"),
    "text": ("Text", "Texte", "Texto"),
    "whose organiser": ("Sender", "Qui envoie", "Quien envía"),
    "whose country": ("Country", "Pays", "País"),
    "submissions": ("Submissions", "Envois", "Envíos"),
    "none": ("No submission is held.", "Aucun envoi n’est retenu.", "No hay ningún envío retenido."),
}
_SAME: Final = {"FORM-FILTER": "FORM-CHOICE"}
#: Of these only the team can do something.
_OF_THE_TEAM: Final = frozenset({"FORM-VERSION", "FORM-SEALED"})


def fix_words(language: str) -> dict[str, str]:
    """Every word of a list in one of `LANGUAGES`."""
    place = LANGUAGES.index(language)
    return {name: texts[place] for name, texts in _WORDS.items()}


def is_of_the_team(rule: str) -> bool:
    """Whether only the team can do something about this rule."""
    return rule.partition(":")[0] in _OF_THE_TEAM


def what_to_do(words: Mapping[str, str], rule: str) -> str:
    """What the person who sent it can do when this rule is broken."""
    kind = rule.partition(":")[0]
    if is_of_the_team(rule):
        return words["team"]
    return words.get(f"do {_SAME.get(kind, kind)}", words["do other"])
