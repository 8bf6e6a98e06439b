"""What may be kept of an upload: the rules between the request and the store."""

from __future__ import annotations

from typing import Final

from dialogkit.instance import Instance, read_instance
from dialogkit.model.consent import IMPORT_THROUGH_FORM_SERVER, refusal
from dialogkit.model.form import Form
from dialogkit.model.submission import Origin
from dialogkit.serve.access import Key
from dialogkit.serve.catalogue import Catalogue
from dialogkit.serve.declined import Declined
from dialogkit.serve.incoming import Upload
from dialogkit.serve.refused import NO_FORM, UNKNOWN_FORM, UNKNOWN_VERSION
from dialogkit.serve.store import Arrival, Store
from dialogkit.xml import UnsafeXml

_RECEIVED: Final = "Received and kept. Thank you."
_PART_RECEIVED: Final = "This part was received. The rest is still to come."
_NOT_KEPT: Final = "Done as you chose: nothing was kept."
_TAKEN_OFF: Final = (
    "Done as you chose: it was taken off this server. What the team had already fetched is removed by the team."
)


def receive(store: Store, catalogue: Catalogue, upload: Upload, key: Key) -> str:
    """Keep what may be kept.

    Returns:
        What the phone shows; the submission is then safe on disk.

    Raises:
        Declined: it was not kept, and why. Status 201 when that is what the person chose.
    """
    instance, form = _read(store, catalogue, upload)
    arrival = Arrival(form.form_id, form.version, instance.instance_id, instance.deprecated_id, key.role, key.label)
    reason = "" if instance.sealed(form) else refusal(form, instance.answers, _origin(key))
    if reason == IMPORT_THROUGH_FORM_SERVER:
        store.refused.count(form.form_id, instance.instance_id, reason)
        raise Declined(
            403,
            "This says that it was read from a published page. A key for phones cannot send such a submission; "
            "a key for staff can. Nothing was kept.",
        )
    if reason:
        if store.bury(arrival, reason):
            raise Declined(201, _TAKEN_OFF)
        store.refused.count(form.form_id, instance.instance_id, reason)
        raise Declined(201, _NOT_KEPT)
    facts = store.keep(upload, arrival)
    return _RECEIVED if facts.complete else _PART_RECEIVED


def _origin(key: Key) -> Origin:
    return "import" if key.role == "staff" else "server"


def _read(store: Store, catalogue: Catalogue, upload: Upload) -> tuple[Instance, Form]:
    """The instance and the form it was made with; counts it when there is no such form."""
    instance = _instance(upload.xml, frozenset())
    if not instance.instance_id:
        raise Declined(400, "The submission has no instanceID, so a second try would count twice. It was not kept.")
    if not _usable(instance.instance_id) or not _usable(instance.deprecated_id):
        raise Declined(400, "The submission has an instanceID that cannot be asked for again. It was not kept.")
    if instance.form_id not in catalogue.offered:
        store.refused.count(NO_FORM, instance.instance_id, UNKNOWN_FORM)
        raise Declined(404, "This server has no such form. The phone keeps the submission; ask who gave you the form.")
    form = catalogue.find_form(instance.form_id, instance.form_version)
    if form is None:
        store.refused.count(instance.form_id, instance.instance_id, UNKNOWN_VERSION)
        raise Declined(
            404, "This server does not know this version of the form. The phone keeps the submission; update the form."
        )
    instance = _instance(upload.xml, form.repeats)
    _refuse_doubled(form, instance)
    return instance, form


def _usable(instance_id: str) -> bool:
    """Whether the Briefcase interface can name it: one it cannot would stop every pull of the form."""
    return len(instance_id) <= 200 and instance_id.isprintable() and instance_id.strip("'") == instance_id


def _instance(data: bytes, repeats: frozenset[str]) -> Instance:
    try:
        return read_instance(data, repeats)
    except UnsafeXml as error:
        raise Declined(400, f"The submission {error}. It was not kept.") from None


def _refuse_doubled(form: Form, instance: Instance) -> None:
    """A question or group that stands twice could hide an answer from the rules of consent."""
    single = ({*form.by_path} | {section.path for section in form.sections}) - form.repeats
    if any(path in single and isinstance(value, list) for path, value in instance.answers.items()):
        raise Declined(400, "The submission answers a question twice that is asked once. It was not kept.")
