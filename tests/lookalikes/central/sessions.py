"""Signing in and out, and who one is."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from starlette.responses import Response

from .call import Call, Routes
from .people import ROLES, well_formed
from .problems import Refused, forbidden, not_found, unauthorised
from .records import Actor
from .replies import json_reply, success
from .store import Store

routes = Routes()


def actor_of(store: Store, headers: Mapping[str, str]) -> Actor | None:
    """Whoever the header Authorization names; nobody where there is none."""
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        if rest not in store.people.sessions:
            raise unauthorised()
        return store.people.sessions[rest][0]
    if scheme.lower() == "basic":
        if headers.get("x-forwarded-proto") != "https":
            raise Refused(401.3, "This authentication method is only available over HTTPS")
        email, _, password = base64.b64decode(rest).decode().partition(":")
        return _signed_in(store, email, password)
    return None


def actor_of_key(store: Store, token: str) -> Actor:
    """The app user of the key in a path."""
    if not well_formed(token):
        raise unauthorised()
    actor = store.people.by_key(token)
    if actor is None:
        raise forbidden()
    return actor


def _signed_in(store: Store, email: str, password: str) -> Actor:
    actor = store.people.by_email(email)
    if actor is None or actor.password != password:
        raise unauthorised()
    return actor


@routes.on("POST", "/sessions")
def sign_in(call: Call) -> Response:
    given = call.json()
    email, password = given.get("email"), given.get("password")
    if not email or not password:
        got = {name: given[name] for name in ("email", "password") if given.get(name)}
        told = ", ".join(f"{name}: {given.get(name)!r}" for name in ("email", "password")).replace("None", "undefined")
        message = f"Required parameters missing. Expected (email, password), got ({told})."
        raise Refused(400.3, message, {"expected": ["email", "password"], "got": got})
    actor = _signed_in(call.store, email, password)
    actor.last_login = call.store.now()
    created, expires = call.store.now(), call.store.later(24)
    token = call.store.people.start_session(actor, created, expires)
    reply = json_reply({"token": token, "csrf": "c" * 64, "expiresAt": expires, "createdAt": created})
    reply.set_cookie("session", token, path="/", httponly=True, samesite="strict")
    reply.set_cookie("__csrf", "c" * 64, path="/", samesite="strict")
    return reply


@routes.on("GET", "/sessions/restore")
def restore(call: Call) -> Response:
    _, created, expires = call.store.people.sessions[_token(call)]
    return json_reply({"createdAt": created, "expiresAt": expires})


@routes.on("DELETE", "/sessions/current")
def sign_out(call: Call) -> Response:
    call.store.people.sessions.pop(_token(call))
    reply = success()
    reply.delete_cookie("session", path="/")
    reply.delete_cookie("__csrf", path="/")
    return reply


@routes.on("DELETE", "/sessions/{token}")
def end_session(call: Call) -> Response:
    token = call.parts["token"]
    actor = call.store.people.by_key(token)
    if actor is not None:
        call.need("session.end", call.store.project(actor.project_id))
        actor.token = ""
    elif call.store.people.sessions.pop(token, None) is None:
        raise not_found()
    return success()


@routes.on("GET", "/users/current")
def current_user(call: Call) -> Response:
    actor = call.actor
    if actor is None:
        raise unauthorised()
    said = {**actor.to_json(), "email": actor.email, "lastLoginAt": actor.last_login}
    if call.extended:
        said |= {
            "verbs": sorted(call.store.people.verbs(actor)),
            "preferences": {"site": {}, "projects": {}},
        }
    return json_reply(said)


@routes.on("GET", "/roles")
def roles(call: Call) -> Response:
    return json_reply(ROLES)


def _token(call: Call) -> str:
    if call.actor is None:
        raise unauthorised()
    return call.headers["authorization"].partition(" ")[2]
