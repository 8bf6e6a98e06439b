"""The words of the report, in the three languages of the project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dialogkit.validate.texts import LANGUAGES

#: Each language in its own words.
NAMES: Final[Mapping[str, str]] = {"en": "English", "fr": "Français", "es": "Español"}

#: Word → English, French, Spanish.
_WORDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "report": ("Data quality report", "Rapport sur la qualité des données", "Informe de calidad de los datos"),
    "made": ("Made on {day} at {time} (UTC)", "Établi le {day} à {time} (UTC)", "Hecho el {day} a las {time} (UTC)"),
    "languages": ("Language", "Langue", "Idioma"),
    "forms": ("Forms", "Formulaires", "Formularios"),
    "nothing": ("Nothing has landed yet.", "Rien n’a encore été chargé.", "Todavía no se ha cargado nada."),
    "staff": (
        "For the team only: it names those who send. It holds no answers.",
        "Réservé à l’équipe : il nomme les personnes qui envoient. Il ne contient aucune réponse.",
        "Solo para el equipo: nombra a quienes envían. No contiene respuestas.",
    ),
    # states of submissions
    "came": ("Came in", "Reçus", "Recibidos"),
    "accepted": ("Accepted", "Acceptés", "Aceptados"),
    "held": ("Held", "Retenus", "Retenidos"),
    "refused": ("Refused", "Refusés", "Rechazados"),
    "deleted": ("Deleted", "Supprimés", "Borrados"),
    "dropped": ("Dropped by the team", "Écartés par l’équipe", "Descartados por el equipo"),
    # refused
    "why refused": ("Why they were refused", "Raisons des refus", "Por qué se rechazaron"),
    "reason": ("Reason", "Raison", "Motivo"),
    "no consent": ("No consent", "Pas de consentement", "Sin consentimiento"),
    "the person chose delete": (
        "The person chose to have everything deleted",
        "La personne a choisi de tout effacer",
        "La persona eligió borrarlo todo",
    ),
    "import through a form server": (
        "An import that came through a form server",
        "Un import passé par un serveur de formulaires",
        "Una importación que llegó por un servidor de formularios",
    ),
    # rules
    "rules": ("Rules that are broken now", "Règles enfreintes actuellement", "Reglas incumplidas ahora"),
    "rules about": (
        "Accepted and held submissions as they are now. “Rows” counts each row of a repeat.",
        "Envois acceptés et retenus dans leur état actuel. « Lignes » compte chaque ligne d’une répétition.",
        "Envíos aceptados y retenidos tal como están ahora. «Filas» cuenta cada fila de una repetición.",
    ),
    "rule": ("Rule", "Règle", "Regla"),
    "action": ("Action", "Action", "Acción"),
    "hold": ("holds", "retient", "retiene"),
    "note": ("notes", "signale", "avisa"),
    "submissions": ("Submissions", "Envois", "Envíos"),
    "rows": ("Rows", "Lignes", "Filas"),
    "judged": ("Judged", "Jugée", "Evaluada"),
    "in all": ("in every batch", "dans chaque lot", "en cada lote"),
    "in some": ("in {n} of {all} batches", "dans {n} lots sur {all}", "en {n} de {all} lotes"),
    "in none": ("not known", "inconnu", "no se sabe"),
    "quiet": (
        "{n} other rules were judged, and nothing breaks them.",
        "{n} autres règles ont été jugées, et rien ne les enfreint.",
        "Se evaluaron otras {n} reglas y nada las incumple.",
    ),
    "quiet one": (
        "One other rule was judged, and nothing breaks it.",
        "Une autre règle a été jugée, et rien ne l’enfreint.",
        "Se evaluó otra regla y nada la incumple.",
    ),
    "no broken": (
        "No accepted or held submission breaks a rule.",
        "Aucun envoi accepté ou retenu n’enfreint de règle.",
        "Ningún envío aceptado o retenido incumple una regla.",
    ),
    "unjudged": (
        "Rules that could not be judged everywhere",
        "Règles qui n’ont pas pu être jugées partout",
        "Reglas que no se pudieron evaluar en todas partes",
    ),
    "unjudged about": (
        "These say nothing about the data of those batches: not that it is wrong, and not that it is right.",
        "Elles ne disent rien des données de ces lots : ni qu’elles sont fausses, ni qu’elles sont justes.",
        "No dicen nada de los datos de esos lotes: ni que estén mal ni que estén bien.",
    ),
    "failed": ("Could not be run", "N’a pas pu être exécutée", "No se pudo ejecutar"),
    "undecided": ("Not decidable", "Indécidable", "No decidible"),
    "batches": ("batches", "lots", "lotes"),
    "batch": ("batch", "lot", "lote"),
    # groups
    "versions": ("By form version", "Par version du formulaire", "Por versión del formulario"),
    "version": ("Version", "Version", "Versión"),
    "no version": ("(no version named)", "(aucune version indiquée)", "(sin versión indicada)"),
    "senders": ("By sender", "Par personne qui envoie", "Por quien envía"),
    "sender": ("Sender", "Qui envoie", "Quien envía"),
    "no sender": ("(no name given)", "(sans nom)", "(sin nombre)"),
    "countries": ("By country", "Par pays", "Por país"),
    "country": ("Country", "Pays", "País"),
    "no country": ("(not said)", "(non précisé)", "(no indicado)"),
    "senders about": (
        "Accepted and held submissions by the key or account that sent them.",
        "Envois acceptés et retenus, par clé ou compte qui les a envoyés.",
        "Envíos aceptados y retenidos, por la clave o cuenta que los envió.",
    ),
    "countries about": (
        "Accepted and held submissions. Groups of fewer than {k} are joined, and numbers under {k} are not told.",
        "Envois acceptés et retenus. Les groupes de moins de {k} sont réunis, et les nombres sous {k} sont tus.",
        "Envíos aceptados y retenidos. Los grupos de menos de {k} se juntan y los números menores de {k} no se dicen.",
    ),
    "others": ("Others ({n} groups)", "Autres ({n} groupes)", "Otros ({n} grupos)"),
    "other one": ("Others (1 group)", "Autres (1 groupe)", "Otros (1 grupo)"),
    "fewer": ("fewer than {k}", "moins de {k}", "menos de {k}"),
    "not told": ("not told", "non indiqué", "no se dice"),
    "often": ("Broken most often", "Le plus souvent enfreintes", "Incumplidas con más frecuencia"),
    # trend
    "trend": ("Over time", "Dans le temps", "En el tiempo"),
    "trend about": (
        "What each pull brought, as it was judged then: accepted, held and refused submissions. The table below has "
        "the same numbers.",
        "Ce que chaque collecte a apporté, tel qu’il a été jugé alors : envois acceptés, retenus et refusés. Le "
        "tableau ci-dessous donne les mêmes nombres.",
        "Lo que trajo cada descarga, tal como se juzgó entonces: envíos aceptados, retenidos y rechazados. La tabla de "
        "abajo da los mismos números.",
    ),
    "run": ("Pull of", "Collecte du", "Descarga del"),
    "day": ("Day", "Jour", "Día"),
    "week": ("Week from", "Semaine du", "Semana del"),
    "month": ("Month", "Mois", "Mes"),
    "held share": ("Share held", "Part retenue", "Parte retenida"),
    "broken rows": ("Rows that broke a rule", "Lignes en infraction", "Filas que incumplían"),
    # waiting
    "waiting": (
        "How long held submissions wait",
        "Depuis quand les envois retenus attendent",
        "Cuánto esperan los retenidos",
    ),
    "since": ("Since they came", "Depuis leur arrivée", "Desde que llegaron"),
    "wait 0": ("less than a day", "moins d’un jour", "menos de un día"),
    "wait 1": ("1 to 6 days", "1 à 6 jours", "de 1 a 6 días"),
    "wait 7": ("7 to 29 days", "7 à 29 jours", "de 7 a 29 días"),
    "wait 30": ("30 days and more", "30 jours et plus", "30 días y más"),
    # corrections
    "corrections": ("Corrections", "Corrections", "Correcciones"),
    "state": ("State", "État", "Estado"),
    "entries": ("Entries", "Entrées", "Entradas"),
    "applied": ("applied", "appliquée", "aplicada"),
    "at the source": ("made at the source too", "faite aussi à la source", "hecha también en el origen"),
    "conflict": ("conflict: the source changed", "conflit : la source a changé", "conflicto: el origen cambió"),
    "no place": ("no such place", "endroit introuvable", "lugar inexistente"),
    "no batch": ("its batch is not here", "son lot n’est pas ici", "su lote no está aquí"),
    "superseded": ("settled by a later one", "réglée par une suivante", "resuelta por una posterior"),
    "undone": ("undone", "annulée", "deshecha"),
    "booked": ("booked only", "seulement notée", "solo anotada"),
    "waiting for it": ("waiting for its submission", "en attente de son envoi", "a la espera de su envío"),
}


def words(language: str) -> dict[str, str]:
    """Every word of the report in one of `LANGUAGES`."""
    place = LANGUAGES.index(language)
    return {name: texts[place] for name, texts in _WORDS.items()}
