"""The look-alike as an ASGI app: its routes, and what holds for every address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.lookalikes.kobo import account, assets, beside, changing, data, deploying, openrosa
from tests.lookalikes.kobo.asking import PAGE, Asking, Refused, answer, unknown_page
from tests.lookalikes.kobo.openrosa import Phone
from tests.lookalikes.kobo.state import State

Endpoint = Callable[[Asking], Awaitable[Response]]

_GONE = (
    "The V1 API has been removed. Please read the migration article at "
    "https://support.kobotoolbox.org/migrating_api.html"
)
_FORM = "/api/v2/assets/{asset}"
_ROW = _FORM + "/data/{row}"

#: Address, endpoint, methods. The first that fits is taken.
_API: list[tuple[str, Endpoint, str]] = [
    ("/token/", account.token, "GET POST"),
    ("/me/", account.me, "GET"),
    ("/api/v2/environment/", account.environment, "GET"),
    ("/api/v2/users/{user}/", account.user, "GET"),
    ("/api/v2/permissions/", account.permissions, "GET"),
    ("/api/v2/imports/", deploying.imports, "GET POST"),
    ("/api/v2/imports/{import_}/", deploying.import_status, "GET"),
    ("/api/v2/assets/", assets.listed, "GET POST"),
    ("/api/v2/assets/hash/", assets.digest, "GET"),
    (_FORM + ".xml", assets.as_xml, "GET"),
    (_FORM + ".xls", assets.as_workbook, "GET"),
    (_FORM + "/", assets.one, "GET PATCH DELETE"),
    (_FORM + "/versions/", assets.versions, "GET"),
    (_FORM + "/versions/{version}/", assets.version, "GET"),
    (_FORM + "/deployment/", deploying.deployment, "GET POST PATCH DELETE"),
    (_FORM + "/files/", beside.files, "GET POST"),
    (_FORM + "/files/{file}/", beside.file, "GET DELETE"),
    (_FORM + "/files/{file}/content/", beside.file_content, "GET"),
    (_FORM + "/permission-assignments/", beside.rights, "GET POST"),
    (_FORM + "/permission-assignments/bulk/", beside.rights_in_bulk, "POST"),
    (_FORM + "/permission-assignments/{right}/", beside.right, "GET DELETE"),
    (_FORM + "/history/", beside.history, "GET"),
    (_FORM + "/history/actions/", beside.history_actions, "GET"),
    (_FORM + "/attachments/bulk/", changing.attachments, "DELETE"),
    (_FORM + "/data/", data.listing, "GET"),
    (_FORM + "/data/bulk/", changing.bulk, "PATCH DELETE"),
    (_FORM + "/data/validation_statuses/", changing.statuses, "PATCH DELETE"),
    (_ROW + ".xml", data.single, "GET"),
    (_ROW + "/", data.single, "GET"),
    (_ROW + "/", changing.delete, "DELETE"),
    (_ROW + "/validation_status/", changing.status, "GET PATCH DELETE"),
    (_ROW + "/enketo/{kind}/", data.enketo, "GET"),
    (_ROW + "/attachments/", data.attachment_by_place, "GET"),
    (_ROW + "/attachments/{attachment}/", data.attachment, "GET DELETE"),
]
_PHONES: list[tuple[str, Callable[[Phone], Awaitable[Response]], str]] = [
    ("/formList", openrosa.form_list, "GET HEAD"),
    ("/submission", openrosa.submission, "POST HEAD"),
    ("/forms/{form}/form.xml", openrosa.xform, "GET"),
    ("/xformsManifest/{form}", openrosa.manifest, "GET"),
    ("/xformsMedia/{form}/{file}", openrosa.media, "GET"),
]


def app_of(state: State) -> Callable[..., Awaitable[None]]:
    """The app over one state."""
    routes = [Route(path, _api(state, one), methods=ways.split()) for path, one, ways in _API]
    for path, phone, ways in _PHONES:
        routes += [Route(front + path, _phone(state, phone), methods=ways.split()) for front in ("", "/{owner}")]
    routes.append(Route("/{rest:path}", _elsewhere, methods=["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"]))
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return app


def _api(state: State, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def run(request: Request) -> Response:
        named = request.path_params.get("asset")
        if named is not None and named not in state.assets and not request.url.path.endswith(f"/{named}/"):
            return unknown_page()
        try:
            asking = Asking(request, state)
            response = await endpoint(asking)
        except Refused as refused:
            return refused.response()
        if asking.user is not None:
            response.headers["X-KoBoNaUt"] = asking.name
        return response

    return run


def _phone(state: State, endpoint: Callable[[Phone], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def run(request: Request) -> Response:
        return await endpoint(Phone(request, state))

    return run


async def _elsewhere(request: Request) -> Response:
    path = request.url.path
    if path.startswith(("/api/v1/", "/assets/")):
        plain = request.url.query == "format=json" or "json" in request.headers.get("accept", "")
        return answer({"detail": _GONE}, 410) if plain else HTMLResponse(PAGE, 410)
    if path == "/":
        return HTMLResponse(PAGE)
    if path.startswith("/api/v2/") and not path.endswith("/"):
        query = f"?{request.url.query}" if request.url.query else ""
        moved: dict[str, Any] = {"Location": f"{path}/{query}"}
        return HTMLResponse("", 301, moved)
    return unknown_page()
