"""What quality rules say to people, in the three languages of the project: never an answer, never a count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dialogkit.model.form import Form, Question
from dialogkit.validate.texts import label_of

#: Rule → language → text; `{label}` is the question's label.
_TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "duplicate": {
        "en": "All answers are the same as in an earlier submission.",
        "fr": "Toutes les réponses sont les mêmes que dans un envoi précédent.",
        "es": "Todas las respuestas son iguales a las de un envío anterior.",
    },
    "near": {
        "en": "Nearly all answers are the same as in an earlier submission.",
        "fr": "Presque toutes les réponses sont les mêmes que dans un envoi précédent.",
        "es": "Casi todas las respuestas son iguales a las de un envío anterior.",
    },
    "clock": {
        "en": "The times cannot be right: it ended before it began, or was sent before it ended.",
        "fr": "Les heures ne peuvent pas être justes : fin avant le début, ou envoi avant la fin.",
        "es": "Las horas no pueden ser correctas: terminó antes de empezar, o se envió antes de terminar.",
    },
    "hours": {
        "en": "It was begun outside the hours of work, by the local time of the phone.",
        "fr": "L’entretien a commencé en dehors des heures de travail, à l’heure locale du téléphone.",
        "es": "Se empezó fuera del horario de trabajo, según la hora local del teléfono.",
    },
    "speed": {
        "en": "It was filled in faster than the questions can be asked.",
        "fr": "Le formulaire a été rempli plus vite qu’on ne peut poser les questions.",
        "es": "Se llenó más rápido de lo que se pueden hacer las preguntas.",
    },
    "straight": {
        "en": "“{label}” and the questions after it on the same scale all have the same answer.",
        "fr": "« {label} » et les questions suivantes de la même échelle ont toutes la même réponse.",
        "es": "«{label}» y las preguntas siguientes de la misma escala tienen todas la misma respuesta.",
    },
    "digits": {
        "en": "“{label}”: the numbers of this enumerator end in 0 or 5 far too often.",
        "fr": "« {label} » : les nombres de cet enquêteur finissent bien trop souvent par 0 ou 5.",
        "es": "«{label}»: los números de este encuestador terminan demasiado a menudo en 0 o 5.",
    },
    "outlier": {
        "en": "“{label}”: the number is far away from the others of its country.",
        "fr": "« {label} » : le nombre est très éloigné des autres de son pays.",
        "es": "«{label}»: el número está muy lejos de los demás de su país.",
    },
    "blanks": {
        "en": "This enumerator leaves far more questions unanswered than the others.",
        "fr": "Cet enquêteur laisse bien plus de questions sans réponse que les autres.",
        "es": "Este encuestador deja muchas más preguntas sin respuesta que los demás.",
    },
    "point": {
        "en": "“{label}”: the place is not usable (latitude and longitude 0, or too inaccurate).",
        "fr": "« {label} » : le lieu est inutilisable (latitude et longitude 0, ou trop imprécis).",
        "es": "«{label}»: el lugar no sirve (latitud y longitud 0, o demasiado impreciso).",
    },
    "country": {
        "en": "“{label}”: the place lies outside the country that was given.",
        "fr": "« {label} » : le lieu est en dehors du pays indiqué.",
        "es": "«{label}»: el lugar está fuera del país indicado.",
    },
    "cluster": {
        "en": "“{label}”: many submissions of this enumerator were made at the same place.",
        "fr": "« {label} » : beaucoup d’envois de cet enquêteur ont été faits au même endroit.",
        "es": "«{label}»: muchos envíos de este encuestador se hicieron en el mismo lugar.",
    },
}
FIX: Final = "Ask whoever collected it before you change anything: honest work looks like this too (docs/quality.md)."


def messages(name: str, form: Form, question: Question | None = None) -> dict[str, str]:
    """What a rule says, by language."""
    return {
        language: text.format(label=label_of(form, question, language) if question else "")
        for language, text in _TEXTS[name].items()
    }
