"""The side of phones (kc): form list, manifest, forms, media, and submissions as OpenRosa has them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from dialogkit.xml import UnsafeXml
from tests.lookalikes.kobo import instances
from tests.lookalikes.kobo.asking import NO_CREDENTIALS, Refused, broken, identified
from tests.lookalikes.kobo.asset import ANONYMOUS, Asset
from tests.lookalikes.kobo.marks import now
from tests.lookalikes.kobo.rows import Row
from tests.lookalikes.kobo.state import State

_DIGEST = 'Digest realm="DJANGO", qop="auth", nonce="1:1:1", opaque="1", algorithm="MD5", stale="false"'
_NO_HTTPS = (
    "Using basic authentication without HTTPS transmits credentials in clear text! "
    "You MUST connect via HTTPS to use basic authentication."
)
_OPENROSA = {"X-OpenRosa-Version": "1.0", "X-OpenRosa-Accept-Content-Length": "10000000"}
_LIST = ("xforms", "http://openrosa.org/xforms/xformsList")
_MANIFEST = ("manifest", "http://openrosa.org/xforms/xformsManifest")
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_SAVED = """<OpenRosaResponse xmlns="http://openrosa.org/http/response">
    <message>Successful submission.</message>
    <submissionMetadata xmlns="http://www.opendatakit.org/xforms" id="{form}"  instanceID="uuid:{uuid}" \
submissionDate="{sent}+00:00" isComplete="true" markedAsCompleteDate="{now}+00:00"/>
</OpenRosaResponse>
"""
_SAID = """<?xml version='1.0' encoding='UTF-8' ?>
<OpenRosaResponse xmlns="http://openrosa.org/http/response">
        <message nature="">{text}</message>
</OpenRosaResponse>"""


class Phone:
    """One request of a phone: who asks, and under which owner's address."""

    def __init__(self, request: Request, state: State) -> None:
        self.request = request
        self.state = state
        self.owner: str | None = request.path_params.get("owner")
        self.base = f"{request.url.scheme}://{request.url.netloc}"
        self.shape: tuple[str, str] = ("root", "")
        header = request.headers.get("authorization")
        self.error = ""
        self.name = ANONYMOUS
        if header and header.startswith("Basic") and not state.basic_over_http:
            self.error = _NO_HTTPS
            return
        try:
            user = identified(state, header)
        except Refused as refused:
            self.error = refused.body["detail"]
            return
        # Seen: under an owner's address only what everybody may fill is listed, whoever asks.
        self.name = user.name if user and self.owner is None else ANONYMOUS
        if user is None and self.owner is None:
            self.error = NO_CREDENTIALS

    def unauthorised(self) -> Response:
        return self.detail(401, self.error or NO_CREDENTIALS, {"WWW-Authenticate": _DIGEST})

    def detail(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
        tag, namespace = self.shape
        opened = f'{tag} xmlns="{namespace}"' if namespace else tag
        return _xml(f"{_HEAD}<{opened}><detail>{escape(text)}</detail></{tag}>", status, headers)

    def forms(self) -> list[Asset]:
        """The forms on offer, the newest first."""
        on_offer = [
            one
            for one in self.state.assets.values()
            if one.active and one.can(self.name, "add_submissions") and self.owner in {None, one.owner}
        ]
        return sorted(on_offer, key=lambda one: one.number, reverse=True)

    def form(self) -> Asset | None:
        number = int(self.request.path_params["form"])
        return next((one for one in self.forms() if one.number == number), None)

    def address(self, rest: str) -> str:
        return f"{self.base}/{self.owner}/{rest}" if self.owner else f"{self.base}/{rest}"


def _xml(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(text, status, dict(headers or {}), media_type="text/xml")


async def form_list(phone: Phone) -> Response:
    phone.shape = _LIST
    if phone.error:
        return phone.unauthorised()
    if phone.request.method == "HEAD":
        return _xml("", 204, _OPENROSA)
    entries = "".join(_listed(phone, asset) for asset in phone.forms())
    return _xml(f'{_HEAD}<xforms xmlns="{_LIST[1]}">{entries}</xforms>', headers=_OPENROSA)


def _listed(phone: Phone, asset: Asset) -> str:
    name = escape(asset.name)
    manifest = f"<manifestUrl>{phone.address(f'xformsManifest/{asset.number}')}</manifestUrl>"
    return (
        f"<xform><formID>{asset.uid}</formID><name>{name}</name>"
        f"<majorMinorVersion>{asset.phone_version}</majorMinorVersion><version>{asset.phone_version}</version>"
        f"<hash>md5:{hashlib.md5(asset.phone_form.encode()).hexdigest()}</hash>"
        f"<descriptionText>{name}</descriptionText>"
        f"<downloadUrl>{phone.address(f'forms/{asset.number}/form.xml')}</downloadUrl>{manifest}</xform>"
    )


async def manifest(phone: Phone) -> Response:
    phone.shape = _MANIFEST
    if phone.error:
        return phone.unauthorised()
    asset = phone.form()
    if asset is None:
        return phone.detail(404, "No XForm matches the given query.")
    entries = "".join(
        f"<mediaFile><filename>{escape(one.name)}</filename><hash>{one.hash}</hash><downloadUrl>"
        f"{phone.address(f'xformsMedia/{asset.number}/{one.short_name}')}</downloadUrl></mediaFile>"
        for one in asset.on_phones
    )
    return _xml(f'{_HEAD}<manifest xmlns="{_MANIFEST[1]}">{entries}</manifest>', headers=_OPENROSA)


async def xform(phone: Phone) -> Response:
    phone.shape = _LIST
    if phone.error:
        return phone.unauthorised()
    asset = phone.form()
    if asset is None:
        return phone.detail(404, "No XForm matches the given query.")
    return _xml(asset.phone_form, headers=_OPENROSA)


async def media(phone: Phone) -> Response:
    if phone.error:
        return phone.unauthorised()
    asset = phone.form()
    number = int(phone.request.path_params["file"].partition(".")[0])
    for one in asset.on_phones if asset else []:
        if one.number == number:
            named = f"attachment; filename={one.name}"
            return Response(one.content, headers={"Content-Disposition": named, "Content-Type": one.mimetype})
    return phone.detail(404, "Not found.")


async def submission(phone: Phone) -> Response:
    if phone.error:
        return phone.unauthorised()
    headers = {**_OPENROSA, "Location": f"{phone.base}{phone.request.url.path}"}
    if phone.request.method == "HEAD":
        return _xml("", 204, headers)
    parts = await phone.request.form()
    sent = parts.get("xml_submission_file")
    if not isinstance(sent, UploadFile):
        return broken(html=True)
    files = {name: (await one.read(), one.content_type or "") for name, one in _attached(parts.multi_items())}
    with phone.state.lock:
        return _received(phone, await sent.read(), files, headers)


def _attached(items: list[tuple[str, Any]]) -> list[tuple[str, UploadFile]]:
    return [
        (one.filename or name, one)
        for name, one in items
        if isinstance(one, UploadFile) and name != "xml_submission_file"
    ]


def _said(status: int, text: str, headers: Mapping[str, str] = _OPENROSA) -> Response:
    return _xml(_SAID.format(text=text), status, headers)


Files = dict[str, tuple[bytes, str]]


def _received(phone: Phone, xml: bytes, files: Files, headers: dict[str, str]) -> Response:
    try:
        root, flat = instances.read(xml, lambda _: False)
    except UnsafeXml:
        return _said(400, "Improperly formatted XML.")
    asset = _meant(phone, flat.get("formhub/uuid", ""), root.get("id") or "")
    if asset is None:
        return phone.detail(404, "Not found.")
    if "meta/instanceID" not in flat:
        return _said(400, "Instance ID is required")
    refused = _refusal(phone, asset, flat)
    if refused is not None:
        return refused
    old = str(flat.get("meta/deprecatedID", "")).removeprefix("uuid:")
    uuid = str(flat["meta/instanceID"]).strip().removeprefix("uuid:")
    known = asset.rows.by_uuid.get(uuid)
    if known is not None:
        return _again(phone, known, xml, files, headers)
    if old:
        return _edited(phone, asset, asset.rows.by_uuid[old], xml, files, headers)
    by = None if phone.name == ANONYMOUS else phone.name
    _, row = phone.state.place_of(phone.state.new(asset.uid, xml, by=by))
    _keep(phone, row, files)
    return _saved(row, headers)


def _meant(phone: Phone, formhub: str, form_id: str) -> Asset | None:
    assets = [one for one in phone.state.assets.values() if phone.owner in {None, one.owner}]
    by_mark = next((one for one in assets if formhub and one.formhub == formhub), None)
    return by_mark or next((one for one in assets if one.uid == form_id and one.deployed), None)


def _refusal(phone: Phone, asset: Asset, flat: dict[str, Any]) -> Response | None:
    old = str(flat.get("meta/deprecatedID", "")).removeprefix("uuid:")
    if not asset.can(phone.name, "change_submissions" if old else "add_submissions"):
        return phone.unauthorised() if phone.name == ANONYMOUS else _said(403, "Access denied")
    if not asset.active:
        return _said(405, "Form is not active")
    if not old:
        return None
    row = asset.rows.by_uuid.get(old)
    if row is None:
        return _said(404, "Invalid submission - deprecatedID not found")
    if row.uuid != old and row.uuid != str(flat["meta/instanceID"]).removeprefix("uuid:"):
        return _said(410, "Invalid submission - deprecatedID refers to an old version")
    return None


def _again(phone: Phone, row: Row, xml: bytes, files: Files, headers: dict[str, str]) -> Response:
    if row.xml != xml:
        return _said(409, "Submission with this instance ID already exists", headers)
    there = {one.name: one.content for one in row.files}
    if any(there.get(name, content) != content for name, (content, _) in files.items()):
        return _said(409, "Attachment with same name already exists", headers)
    if set(files) <= set(there):
        return _said(202, "Duplicate Instance", headers)
    _keep(phone, row, files)
    return _saved(row, headers)


def _edited(phone: Phone, asset: Asset, row: Row, xml: bytes, files: Files, headers: dict[str, str]) -> Response:
    phone.state.edit(f"uuid:{row.root}", xml, by=phone.name)
    _keep(phone, row, files)
    return _saved(row, headers)


def _keep(phone: Phone, row: Row, files: Files) -> None:
    there = {one.name for one in row.files}
    for name, (content, mimetype) in files.items():
        if name not in there:
            phone.state.attach(f"uuid:{row.root}", name, content, mimetype)
    phone.state.drop_unnamed(phone.state.assets[row.home.asset], row)


def _saved(row: Row, headers: dict[str, str]) -> Response:
    moment = now().replace(tzinfo=None).isoformat()
    text = _SAVED.format(form=row.home.asset, uuid=row.uuid, sent=row.submitted + ".000001", now=moment)
    return _xml(text, 201, headers)
