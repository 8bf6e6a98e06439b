"""What happens to submissions: taken in, edited, given files, reviewed, deleted, restored."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from .forming import make_blob
from .incoming import Incoming, expected_files
from .problems import Refused, no_such_original, not_found, outdated, unexpected
from .records import Actor, Blob, Edition, Form, Submission, Table, Version
from .store import Store

STATES = ("hasIssues", "edited", "rejected", "approved")


@dataclass(frozen=True)
class Sender:
    """Who sends, from which device, with which program."""

    actor: Actor | None
    device: str | None = None
    agent: str | None = None


def check_length(instance_id: str) -> None:
    if len(instance_id) > 64:
        raise Refused(400.1, "Length of value too long for a field")


def create(
    store: Store, form: Form, table: Table, edition: Edition, incoming: Incoming, xml: bytes, sender: Sender
) -> Submission:
    """A new submission; one without an id is given one."""
    check_length(incoming.instance_id)
    version = _version(store, edition, incoming, xml, sender)
    files: dict[str, Blob | None] = dict.fromkeys(expected_files(incoming, edition.definition))
    submission = Submission(store.number("submission"), [version], files, event=store.number("event"))
    table.add(submission)
    store.note("submission.create", sender.actor, form=form, submission=submission, version=version)
    return submission


def edit(
    store: Store, form: Form, table: Table, edition: Edition, incoming: Incoming, xml: bytes, sender: Sender
) -> Submission:
    """Another edition of a submission; files with the same names stay.

    Raises:
        Refused: the original is not there, or is not the latest.
    """
    check_length(incoming.instance_id)
    found = table.by_instance.get(incoming.deprecated_id)
    if found is None or found[0].deleted_at:
        raise no_such_original(incoming.deprecated_id)
    submission, deprecated = found
    if deprecated is not submission.current:
        raise outdated(incoming.deprecated_id)
    version = _version(store, edition, incoming, xml, sender)
    table.edit(submission, version)
    before = submission.attachments
    submission.attachments = {name: before.get(name) for name in expected_files(incoming, edition.definition)}
    for name, blob in submission.attachments.items():
        if blob is not None:
            _note_file(store, form, submission, name, sender.actor)
    submission.review = "edited"
    _touch(store, submission)
    store.note("submission.update.version", sender.actor, form=form, submission=submission, version=version)
    return submission


def attach(store: Store, form: Form, submission: Submission, name: str, content: bytes, kind: str, who: Sender) -> None:
    """Give a submission one of its files.

    Raises:
        Refused: it does not expect such a file.
    """
    if name not in submission.attachments:
        raise not_found()
    submission.attachments[name] = make_blob(content, kind, store.now())
    _note_file(store, form, submission, name, who.actor)


def clear(store: Store, form: Form, submission: Submission, name: str, actor: Actor | None) -> None:
    """Take a file away; its name stays. Taking away what is not there is no mistake.

    Raises:
        Refused: it does not expect such a file.
    """
    if name not in submission.attachments:
        raise not_found()
    submission.attachments[name] = None
    _note_file(store, form, submission, name, actor)


def review(
    store: Store, form: Form, submission: Submission, state: str | None, actor: Actor, notes: str | None
) -> None:
    """Set the review state.

    Raises:
        Refused: there is no such state.
    """
    if state is not None and state not in STATES:
        raise unexpected("state", state, "not a recognized state name")
    submission.review = state
    _touch(store, submission)
    more = {"reviewState": state}
    store.note(
        "submission.update", actor, form=form, submission=submission, version=submission.current, more=more, notes=notes
    )


def delete(store: Store, form: Form, submission: Submission, actor: Actor | None) -> None:
    submission.deleted_at = store.now()
    submission.event = store.number("event")
    submission.cache.clear()
    store.note("submission.delete", actor, form=form, submission=submission)


def restore(store: Store, form: Form, submission: Submission, actor: Actor | None) -> None:
    """Raises Refused when it is not deleted."""
    if not submission.deleted_at:
        raise not_found()
    submission.deleted_at = None
    submission.event = store.number("event")
    submission.cache.clear()
    store.note("submission.restore", actor, form=form, submission=submission)


def _touch(store: Store, submission: Submission) -> None:
    submission.updated_at = store.now()
    submission.event = store.number("event")
    submission.cache.clear()


def _note_file(store: Store, form: Form, submission: Submission, name: str, actor: Actor | None) -> None:
    # The event stays, and so does the ETag: the real server's is stale after a file has changed.
    submission.cache.clear()
    more = {"name": name}
    store.note(
        "submission.attachment.update", actor, form=form, submission=submission, version=submission.current, more=more
    )


def _version(store: Store, edition: Edition, incoming: Incoming, xml: bytes, sender: Sender) -> Version:
    return Version(
        number=store.number("version"),
        instance_id=incoming.instance_id or str(uuid.uuid4()),
        xml=xml,
        name=incoming.name,
        form=edition,
        submitter=sender.actor,
        device=sender.device,
        agent=sender.agent,
        created_at=store.now(),
        sealed=incoming.key,
        sealed_files=incoming.media,
    )
