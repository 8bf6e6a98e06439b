"""Any OpenRosa server: forms, sending, and a pull by the Briefcase interface."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import requests.auth

from dialogkit import xml
from dialogkit.errors import NotOnServer, UnexpectedReply
from dialogkit.files import safe_name
from dialogkit.instance import Instance, read_instance
from dialogkit.model.consent import refusal
from dialogkit.model.server import FindForm, Page, Received
from dialogkit.model.submission import Attachment, Origin, Submission
from dialogkit.servers.briefcase import (
    Download,
    FormEntry,
    MediaFile,
    read_counts,
    read_download,
    read_form_list,
    read_ids,
    read_ids_page,
    root_name,
)
from dialogkit.servers.exchange import Reply
from dialogkit.servers.http import CONNECTIONS, Http, message_of
from dialogkit.servers.multipart import Multipart

PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class _Fetched:
    listed_id: str
    reply: Reply
    download: Download


class OpenRosaServer:
    """A server that speaks OpenRosa. Satisfies `model.server.FormServer`.

    Args:
        name: as in `dialogkit.toml`; stands in messages.
        url: address with the key in its path (`http://host:port/key/…`), or without one and with `auth`.
        embedded: it is our own server of this workspace, so its headers on role and submission id are trusted.
        auth: user name and password for HTTP digest.
        page_size: submissions in memory at a time.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        embedded: bool = False,
        auth: tuple[str, str] | None = None,
        page_size: int = PAGE,
    ) -> None:
        self.name, self._embedded, self._page_size = name, embedded, page_size
        self._http = Http(name, url, requests.auth.HTTPDigestAuth(*auth) if auth else None, embedded=embedded)
        self._media: dict[str, tuple[MediaFile, ...]] = {}
        self._roots: dict[str, str] = {}

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def form_list(self) -> list[FormEntry]:
        """The forms that the server offers.

        Raises:
            ServerError: no connection, refused, or not an OpenRosa server.
        """
        return read_form_list(self.name, self._http.get("formList").body)

    def send(self, instance: bytes, files: Mapping[str, bytes | Path] | None = None) -> str:
        """Send a submission.

        Returns:
            What the server says about it.

        Raises:
            ServerRefused: it was not taken; the message holds the reason that the server gave.
            NotOnServer: the server does not know the form or its version.
        """
        body = Multipart(instance, files or {})
        self._http.head("submission")
        reply = self._http.post("submission", body, body.content_type)
        if reply.status not in (201, 202):
            raise self._unexpected("SERVER-008", "The server did not say that it took the submission.")
        try:
            return self._http.shown(message_of(xml.parse(reply.body)))
        except xml.UnsafeXml:
            return ""

    def pages(self, form_id: str, cursor: str, find_form: FindForm) -> Iterator[Page]:
        """Submissions that came after `cursor` (`""`: from the first), one page at a time.

        Raises:
            ServerError: no connection, refused, or an answer that is not whole; pages before it are good.
        """
        seen = {cursor}
        while True:
            listed, following = self._list(form_id, cursor)
            if not listed:
                return
            if following in seen and following:
                raise self._unexpected("SERVER-010", "The server gives the same page again and again.")
            seen.add(following)
            cursor = following or cursor
            fetched = self._fetch(form_id, listed)
            self._media = {one.listed_id: one.download.media for one in fetched}
            received = tuple(self._received(form_id, one, find_form) for one in fetched)
            yield Page(received, cursor)
            if not following:
                return

    def attachment(self, form_id: str, submission: Submission, name: str) -> Iterator[bytes]:
        """The bytes of one attachment, in pieces; checked against the hash that the server gave.

        Raises:
            NotOnServer: SERVER-004, the submission has no such file.
            UnexpectedReply: SERVER-009, other bytes came than the server had announced.
        """
        media = self._media_of(form_id, submission, name)
        if self._embedded:
            asked = {"formId": form_id, "instanceID": submission.instance_id, "filename": name}
            pieces = self._http.stream("view/attachment", asked)
        else:
            pieces = self._http.stream(media.url)
        digest = hashlib.md5(usedforsecurity=False)
        for piece in pieces:
            digest.update(piece)
            yield piece
        kind, _, expected = media.hash.partition(":")
        if kind == "md5" and expected and digest.hexdigest() != expected.lower():
            raise self._unexpected("SERVER-009", "An attachment came with other bytes than the server had announced.")

    def refusals(self, form_id: str) -> Mapping[str, int]:
        """How many submissions our own server refused, by reason; empty for others, which cannot tell.

        Raises:
            ServerError: no connection, or refused.
        """
        if not self._embedded:
            return {}
        return read_counts(self.name, self._http.get("view/refused", {"formId": form_id}).body)

    def ids(self, form_id: str) -> Iterator[Sequence[str]] | None:
        """Ids of all submissions that our own server keeps, by pages; None for others, which cannot tell.

        Raises:
            ServerError: no connection, or refused.
        """
        return self._ids(form_id) if self._embedded else None

    def current(self, form_id: str, submission_id: str, find_form: FindForm) -> Received | None:
        """The edition of a submission that counts now on our own server; None when it is not there.

        Raises:
            ServerError: no connection, refused, or an answer that is not whole.
        """
        for instance_id in self._editions(form_id, submission_id):
            (fetched,) = self._fetch(form_id, [instance_id])
            received = self._received(form_id, fetched, find_form)
            # The two lists are not of one moment: what came between them may have moved one against the other.
            if received.submission.id == submission_id:
                return received
        return None

    def _editions(self, form_id: str, submission_id: str) -> Iterator[str]:
        """Where the list of ids has this one, the list of editions has its current one."""
        cursor = ""
        while True:
            asked = {"formId": form_id, "cursor": cursor}
            found, following = read_ids_page(self.name, self._http.get("view/ids", asked).body)
            if not found:
                return
            many = asked | {"numEntries": str(len(found))}
            listed, _ = read_ids(self.name, self._http.get("view/submissionList", many).body)
            yield from (edition for one, edition in zip(found, listed, strict=False) if one == submission_id)
            cursor = following

    def _ids(self, form_id: str) -> Iterator[Sequence[str]]:
        cursor = ""
        while True:
            reply = self._http.get("view/ids", {"formId": form_id, "cursor": cursor})
            found, cursor = read_ids_page(self.name, reply.body)
            if not found:
                return
            yield found

    def _list(self, form_id: str, cursor: str) -> tuple[list[str], str]:
        asked = {"formId": form_id, "numEntries": str(self._page_size), "cursor": cursor}
        listed, following = read_ids(self.name, self._http.get("view/submissionList", asked).body)
        if not all(listed) or len(set(listed)) != len(listed):
            raise self._unexpected("SERVER-009", "The list of submissions has an empty or a repeated instanceID.")
        return listed, following

    def _fetch(self, form_id: str, listed: Sequence[str]) -> list[_Fetched]:
        root = self._root_of(form_id)

        def one(instance_id: str) -> _Fetched:
            address = f"{form_id}[@version=null and @uiVersion=null]/{root}[@key={instance_id}]"
            reply = self._http.get("view/downloadSubmission", {"formId": address})
            return _Fetched(instance_id, reply, read_download(self.name, reply.body))

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            return list(pool.map(one, listed))

    def _root_of(self, form_id: str) -> str:
        """The root element's name of a form: other servers look a submission up by it."""
        if self._embedded:
            return "data"
        if form_id not in self._roots:
            entry = next((entry for entry in self.form_list() if entry.form_id == form_id), None)
            if entry is None:
                raise NotOnServer("SERVER-004", self.name, f"The form {form_id} is not there.", "Check the form_id.")
            self._roots[form_id] = root_name(self.name, self._http.get(entry.download_url).body)
        return self._roots[form_id]

    def _received(self, form_id: str, fetched: _Fetched, find_form: FindForm) -> Received:
        instance = self._instance(fetched, ())
        form = find_form(instance.form_version)
        marks = fetched.reply.headers if self._embedded else {}
        origin: Origin = "import" if marks.get("X-Dialogkit-Role") == "staff" else "server"
        refused = unquote(marks.get("X-Dialogkit-Refused", ""))
        if form:
            instance = self._instance(fetched, form.repeats)
            refused = refused or ("" if instance.sealed(form) else refusal(form, instance.answers, origin))
        told = unquote(marks.get("X-Dialogkit-Submission-Id", ""))
        submission_id = told or _surviving_id(fetched.listed_id, instance)
        submission = Submission(
            id=submission_id,
            instance_id=instance.instance_id,
            form_id=form_id,
            form_version=instance.form_version,
            submitted_at=unquote(marks.get("X-Dialogkit-Received-At", "")) or fetched.download.submitted_at,
            submitter=unquote(marks.get("X-Dialogkit-Submitter", "")),
            edited=submission_id != instance.instance_id,
            refused=refused,
            answers={} if refused else instance.answers,
            attachments=() if refused else self._attachments(fetched.download.media),
        )
        return Received(submission, b"" if refused else self._http.without_key(fetched.reply.body), origin)

    def _instance(self, fetched: _Fetched, repeats: Sequence[str] | frozenset[str]) -> Instance:
        try:
            instance = read_instance(fetched.download.instance, repeats)
        except xml.UnsafeXml as error:
            raise self._unexpected("SERVER-008", f"A submission {error}.") from None
        ids = (instance.instance_id, instance.deprecated_id, instance.root_id, fetched.download.claimed_id)
        if fetched.listed_id not in ids or not instance.instance_id:
            raise self._unexpected("SERVER-009", "The server sent another submission than the one it had listed.")
        return instance

    def _attachments(self, media: Sequence[MediaFile]) -> tuple[Attachment, ...]:
        names = [safe_name(file.name) for file in media]
        if not all(names) or len(set(names)) != len(names):
            raise self._unexpected("SERVER-009", "A submission has a file without a usable name, or two of one name.")
        return tuple(Attachment(name, mark=file.hash) for name, file in zip(names, media, strict=True))

    def _media_of(self, form_id: str, submission: Submission, name: str) -> MediaFile:
        known = self._media.get(submission.instance_id) or self._media.get(submission.id)
        if known is None:
            listed = submission.instance_id
            known = self._fetch(form_id, [listed])[0].download.media
        for file in known:
            if safe_name(file.name) == name:
                return file
        raise NotOnServer("SERVER-004", self.name, "The submission has no such file on the server.", "Pull again.")

    def _unexpected(self, code: str, message: str) -> UnexpectedReply:
        return UnexpectedReply(code, self.name, message, "Pull again; if it stays so, tell who runs the server.")


def _surviving_id(listed: str, instance: Instance) -> str:
    """The id that survives edits, where the server does not tell it. ODK Central lists it instead of the edition."""
    if instance.root_id:
        return instance.root_id
    return listed if listed != instance.instance_id else instance.deprecated_id or instance.instance_id
