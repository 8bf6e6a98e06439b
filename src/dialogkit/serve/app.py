"""The embedded server as a Starlette application: routes, keys, and nothing of a person in any log."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from dialogkit.errors import DialogkitError
from dialogkit.serve import replies, views
from dialogkit.serve.access import Access, Key
from dialogkit.serve.catalogue import Catalogue, Offered
from dialogkit.serve.declined import Declined
from dialogkit.serve.digest import Digest, StaleNonce
from dialogkit.serve.incoming import MAX_REQUEST, read_upload, too_large
from dialogkit.serve.receive import receive
from dialogkit.serve.store import Store

_log = logging.getLogger("dialogkit.serve")
_WELCOME: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Form server</title>
<style>body{font:18px/1.5 sans-serif;max-width:34em;margin:3em auto;padding:0 1em}</style>
<h1>This is a form server</h1>
<p>Phones with ODK Collect load forms from here and send filled forms here.
To connect a phone, scan the QR code that the person who runs this server shows you.</p>
<p>There is nothing to read at this address without a key.</p></html>
"""


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose key is known. `base` is the address that this client uses, with its key, without a slash."""

    request: Request
    key: Key
    base: str


Handler = Callable[[Call], Awaitable[Response]]


def make_app(catalogue: Catalogue, store: Store, access: Access, *, public_url: str | None = None) -> Starlette:
    """The application.

    Args:
        catalogue: the forms that phones may load and send.
        store: where submissions are kept.
        access: who may do what.
        public_url: address that phones use, when it is not the one in their `Host` header (behind a proxy).
    """
    server = _Server(catalogue, store, access, public_url)
    routes = [Route("/", _welcome)]
    for path, method, handler, staff in server.table():
        endpoint = server.guarded(handler, staff=staff)
        routes += [Route(prefix + path, endpoint, methods=[method]) for prefix in ("/key/{token}", "")]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(replies.Headers)],
        exception_handlers={
            Declined: _declined,
            DialogkitError: _not_ready,
            HTTPException: _http,
            OSError: _disk,
            Exception: _defect,
        },
    )
    # A redirect to the path without its last slash would show the key in one more place.
    app.router.redirect_slashes = False
    return app


class _Server:
    """The handlers, with what they need."""

    def __init__(self, catalogue: Catalogue, store: Store, access: Access, public_url: str | None) -> None:
        self._catalogue, self._store, self._access = catalogue, store, access
        self._public_url = public_url.rstrip("/") if public_url else ""
        self._digest = Digest(access)

    def table(self) -> list[tuple[str, str, Handler, bool]]:
        """Path, method, handler, and whether it is for staff only."""
        return [
            ("/formList", "GET", self._form_list, False),
            ("/forms/{form_id:path}/form.xml", "GET", self._form, False),
            ("/forms/{form_id:path}/manifest.xml", "GET", self._manifest, False),
            ("/forms/{form_id:path}/media/{name}", "GET", self._media, False),
            ("/submission", "HEAD", self._ready, False),
            ("/submission", "POST", self._submission, False),
            ("/view/submissionList", "GET", self._view_list, True),
            ("/view/downloadSubmission", "GET", self._view_download, True),
            ("/view/attachment", "GET", self._view_attachment, True),
            ("/view/refused", "GET", self._view_refused, True),
            ("/view/ids", "GET", self._view_ids, True),
        ]

    def guarded(self, handler: Handler, *, staff: bool) -> Callable[[Request], Awaitable[Response]]:
        """`handler` behind its key: in the path, or by digest where the path has none."""

        async def endpoint(request: Request) -> Response:
            token = request.path_params.get("token")
            key = self._by_digest(request) if token is None else self._access.key_of(token)
            if key is None and token is None:
                return self._ask()
            if key is None:
                raise Declined(404, "This key is not known here or was revoked. Ask for a new QR code.")
            if staff and key.role != "staff":
                raise Declined(403, "This key is for phones. Reading what was sent needs a key for staff.")
            return await handler(Call(request, key, self._base(request, token)))

        return endpoint

    def _by_digest(self, request: Request) -> Key | None:
        header = request.headers.get("authorization", "")
        query = request.scope["query_string"].decode("latin-1")
        target = request.scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
        try:
            return self._digest.key_of(header, request.method, target)
        except StaleNonce:
            challenge = self._digest.challenge(stale=True)
            raise HTTPException(401, headers={"WWW-Authenticate": challenge}) from None

    def _ask(self) -> Response:
        return replies.answer(
            401,
            "A user name and password are needed, or an address with a key.",
            {"WWW-Authenticate": self._digest.challenge()},
        )

    def _base(self, request: Request, token: str | None) -> str:
        host = self._public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
        return f"{host}/key/{token}" if token else host

    def _offered(self, call: Call) -> Offered:
        offered = self._catalogue.offered.get(call.request.path_params["form_id"])
        if offered is None:
            raise Declined(404, "This server has no such form.")
        return offered

    async def _form_list(self, call: Call) -> Response:
        asked = call.request.query_params.get("formID", "")
        offered = [one for name, one in self._catalogue.offered.items() if asked in ("", name)]
        return replies.xml_reply(replies.form_list(offered, call.base))

    async def _form(self, call: Call) -> Response:
        return Response(self._offered(call).built.xml, media_type="text/xml; charset=utf-8")

    async def _manifest(self, call: Call) -> Response:
        return replies.xml_reply(replies.manifest(self._offered(call), call.base))

    async def _media(self, call: Call) -> Response:
        path = self._offered(call).built.media.get(call.request.path_params["name"])
        if path is None:
            raise Declined(404, "The form has no such file.")
        return FileResponse(path)

    async def _ready(self, call: Call) -> Response:
        return Response(status_code=204, headers=replies.ACCEPT)

    async def _submission(self, call: Call) -> Response:
        request = call.request
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > MAX_REQUEST:
            raise too_large(MAX_REQUEST)
        with self._store.room() as folder:
            content_type = request.headers.get("content-type", "")
            upload = await read_upload(content_type, request.stream(), folder, MAX_REQUEST)
            message = await run_in_threadpool(receive, self._store, self._catalogue, upload, call.key)
        return replies.answer(201, message)

    async def _view_list(self, call: Call) -> Response:
        return views.submission_list(self._store, call.request)

    async def _view_download(self, call: Call) -> Response:
        return await views.download(self._store, call.request, call.base)

    async def _view_attachment(self, call: Call) -> Response:
        return views.attachment(self._store, call.request)

    async def _view_refused(self, call: Call) -> Response:
        return views.refused(self._store, call.request)

    async def _view_ids(self, call: Call) -> Response:
        return views.ids(self._store, call.request)


async def _welcome(request: Request) -> Response:
    return HTMLResponse(_WELCOME)


async def _declined(request: Request, error: Exception) -> Response:
    return replies.answer(error.status, error.message) if isinstance(error, Declined) else _failed()


async def _not_ready(request: Request, error: Exception) -> Response:
    _log.error("%s while answering", getattr(error, "code", "error"))
    return replies.answer(503, "The server cannot do this now. Tell the person who runs it. Send again later.")


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    text = {401: "Sign in again.", 404: "There is nothing at this address.", 405: "This address does not do that."}
    return replies.answer(status, text.get(status, "The request cannot be answered."), headers)


async def _disk(request: Request, error: Exception) -> Response:
    _log.error("the disk failed: %s", getattr(error, "strerror", None) or type(error).__name__)
    return replies.answer(507, "The server cannot keep this now (its disk is full or failing). Send again later.")


async def _defect(request: Request, error: Exception) -> Response:
    if not isinstance(error, ClientDisconnect):
        # The text of an exception may quote an answer or the path with a key: its type alone is logged.
        _log.error("%s while answering", type(error).__name__)
    return _failed()


def _failed() -> Response:
    return replies.answer(500, "Something went wrong in the server. Send again later.")
