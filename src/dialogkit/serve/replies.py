"""The XML that OpenRosa clients expect, and the headers of every response."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import tostring

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dialogkit import xml
from dialogkit.serve.catalogue import Offered
from dialogkit.serve.facts import Facts
from dialogkit.serve.incoming import MAX_REQUEST

_HEADERS: Final = {
    "X-OpenRosa-Version": "1.0",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
ACCEPT: Final = {"X-OpenRosa-Accept-Content-Length": str(MAX_REQUEST)}


class Headers:
    """Puts the headers that every response needs on it, the ones of Starlette's own errors too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def xml_reply(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A response with XML, declared as OpenRosa clients look for it."""
    return Response(
        f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n', status, headers, media_type="text/xml; charset=utf-8"
    )


def answer(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """What a phone shows to the person."""
    nature = "submit_success" if status in (201, 202) else "error"
    return xml_reply(
        '<OpenRosaResponse xmlns="http://openrosa.org/http/response">'
        f'<message nature="{nature}">{escape(message)}</message></OpenRosaResponse>',
        status,
        ACCEPT | (headers or {}),
    )


def form_list(offered: Iterable[Offered], base: str) -> str:
    """The list of forms, with absolute addresses under `base`."""
    entries = "".join(_form(one, base) for one in offered)
    return f'<xforms xmlns="http://openrosa.org/xforms/xformsList">{entries}</xforms>'


def manifest(offered: Offered, base: str) -> str:
    """The media of a form."""
    media = f"{_form_url(offered, base)}/media"
    files = "".join(
        f"<mediaFile><filename>{escape(name)}</filename><hash>md5:{digest}</hash>"
        f"<downloadUrl>{escape(f'{media}/{quote(name, safe=str())}')}</downloadUrl></mediaFile>"
        for name, digest in offered.media_hashes.items()
    )
    return f'<manifest xmlns="http://openrosa.org/xforms/xformsManifest">{files}</manifest>'


def id_chunk(listed: Sequence[tuple[int, str]], cursor: str) -> str:
    """A page of instanceIDs and where the next one starts."""
    ids = "".join(f"<id>{escape(instance_id)}</id>" for _, instance_id in listed)
    return (
        f'<idChunk xmlns="http://opendatakit.org/submissions"><idList>{ids}</idList>'
        f"<resumptionCursor>{escape(cursor)}</resumptionCursor></idChunk>"
    )


def submission(facts: Facts, body: bytes, base: str) -> str:
    """A stored submission as ODK Briefcase reads it. A refused one has its identifiers and nothing else."""
    files = "".join(
        f"<mediaFile><filename>{escape(file.name)}</filename><hash>md5:{file.md5}</hash>"
        f"<downloadUrl>{escape(f'{base}/view/attachment?{_attachment(facts, file.name)}')}</downloadUrl></mediaFile>"
        for file in facts.files
    )
    return (
        '<submission xmlns="http://opendatakit.org/submissions" xmlns:orx="http://openrosa.org/xforms">'
        f"<data>{_data(facts, body)}</data>{files}</submission>"
    )


def _data(facts: Facts, body: bytes) -> str:
    marks = {
        "instanceID": facts.instance_id,
        "submissionDate": facts.submitted_at,
        "isComplete": "true",
        "markedAsCompleteDate": facts.received_at,
    }
    if facts.refused:
        said = {"id": facts.form_id, "version": facts.form_version, **marks}
        return "<data" + "".join(f' {name}="{escape(value)}"' for name, value in said.items()) + "/>"
    root = xml.parse(body)
    for name, value in marks.items():
        root.set(name, value)
    root.tail = None
    return tostring(root, encoding="unicode")


def _attachment(facts: Facts, name: str) -> str:
    return urlencode({"formId": facts.form_id, "instanceID": facts.instance_id, "filename": name})


def _form(offered: Offered, base: str) -> str:
    form, url = offered.built.form, _form_url(offered, base)
    manifest_url = f"<manifestUrl>{escape(url)}/manifest.xml</manifestUrl>" if offered.built.media else ""
    return (
        f"<xform><formID>{escape(form.form_id)}</formID><name>{escape(form.title or form.form_id)}</name>"
        f"<version>{escape(form.version)}</version><hash>md5:{offered.xml_hash}</hash>"
        f"<downloadUrl>{escape(url)}/form.xml</downloadUrl>{manifest_url}</xform>"
    )


def _form_url(offered: Offered, base: str) -> str:
    return f"{base}/forms/{quote(offered.built.form.form_id, safe='')}"


def header_text(text: str) -> str:
    """A text as a header can carry it (percent-encoded where it is not plain ASCII)."""
    return quote(text, safe=" !#$&'()*+,/:;=?@[]~")
