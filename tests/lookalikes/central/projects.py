"""Projects, their managed key, app users, rights and the log of the server."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.responses import Response

from .call import Call, Routes
from .people import ROLE_IDS, new_token
from .problems import Refused, exists, forbidden, internal, missing, not_found, unauthorised
from .records import Actor, Audit, Project
from .replies import json_reply, success
from .sealing import new_key, public_text
from .shapes import form_json

routes = Routes()
_FOREVER = "9999-12-31T23:59:59.000Z"


@routes.on("POST", "/projects")
def create(call: Call) -> Response:
    call.need("project.create")
    given = call.json()
    if not given.get("name"):
        raise missing("name")
    project = call.store.add_project(given["name"], given.get("description"))
    return json_reply({**_shown(project), "acteeId": project.actee})


@routes.on("GET", "/projects")
def listing(call: Call) -> Response:
    if call.actor is None:
        raise unauthorised()
    verbs = {each.id: call.store.people.verbs(call.actor, each) for each in call.store.projects.values()}
    shown = [each for each in call.store.projects.values() if "project.read" in verbs[each.id]]
    return json_reply([{**_shown(each), "verbs": sorted(verbs[each.id])} for each in shown])


@routes.on("GET", "/projects/{project}")
def get(call: Call) -> Response:
    project = call.project()
    call.need("project.read", project)
    if not call.extended:
        return json_reply(_shown(project))
    sent = [each.created_at for form in project.forms.values() for each in form.table.newest_first()]
    users = [each for each in call.store.people.actors.values() if each.project_id == project.id]
    more = {
        "verbs": sorted(call.store.people.verbs(call.actor, project)),
        "forms": len(project.forms),
        "appUsers": len(users),
        "datasets": 0,
        "lastSubmission": max(sent, default=None),
        "lastEntity": None,
    }
    return json_reply({**_shown(project), **more})


@routes.on("PATCH", "/projects/{project}")
def change(call: Call) -> Response:
    project = call.project()
    call.need("project.update", project)
    given = call.json()
    project.name = given.get("name", project.name)
    project.description = given.get("description", project.description)
    project.archived = given.get("archived", project.archived)
    project.updated_at = call.store.now()
    return json_reply(_shown(project))


@routes.on("POST", "/projects/{project}/key")
def encrypt(call: Call) -> Response:
    project = call.project()
    call.need("project.update", project)
    given = call.json()
    if project.key is not None:
        message = "Could not activate feature (managed encryption) as it was already activated"
        raise Refused(409.4, message, {"feature": "managed encryption"})
    passphrase = given.get("passphrase", "")
    if len(passphrase) < 10:
        raise Refused(400.21, "The password or passphrase provided does not meet the required length.")
    private = new_key()
    key = call.store.add_key(public_text(private), managed=True, hint=given.get("hint"), passphrase=passphrase)
    key.private, project.key, project.updated_at = private, key, call.store.now()
    return success()


@routes.on("POST", "/projects/{project}/app-users")
def add_app_user(call: Call) -> Response:
    if len(call.body) > 250_000:
        call.json()
    project = call.project()
    call.need("field_key.create", project)
    name = call.json().get("displayName")
    if not name:
        raise missing("displayName")
    people = call.store.people
    actor = people.add("field_key", name, call.store.now(), project_id=project.id, creator=call.actor)
    actor.token = new_token()
    said = {"projectId": project.id, **actor.to_json(), "token": actor.token}
    return json_reply({**said, "csrf": "c" * 64, "expiresAt": _FOREVER})


@routes.on("GET", "/projects/{project}/app-users")
def app_users(call: Call) -> Response:
    project = call.project()
    call.need("field_key.list", project)
    found = [each for each in call.store.people.actors.values() if _is_app_user(each, project)]
    return json_reply([_app_user(each, extended=call.extended) for each in sorted(found, key=lambda each: -each.id)])


@routes.on("DELETE", "/projects/{project}/app-users/{actor}")
def delete_app_user(call: Call) -> Response:
    project = call.project()
    call.need("field_key.delete", project)
    actor = _actor(call)
    if not _is_app_user(actor, project):
        raise not_found()
    actor.deleted_at = call.store.now()
    return success()


@routes.on("POST", "/projects/{project}/assignments/{role}/{actor}")
def assign(call: Call) -> Response:
    project = call.project()
    call.need("assignment.create", project)
    return _grant(call, ("project", project.id), project.actee)


@routes.on("GET", "/projects/{project}/assignments/forms/{role}")
def form_assignments(call: Call) -> Response:
    project = call.project()
    call.need("assignment.list", project)
    wanted = _role(call)
    return json_reply(
        [
            {"actorId": actor, "roleId": role, "xmlFormId": form.form_id}
            for form in project.forms.values()
            for actor, role in call.store.people.granted_at(("form", form.number))
            if role == wanted
        ]
    )


@routes.on("GET", "/projects/{project}/forms/{form}/assignments")
def assignments(call: Call) -> Response:
    form = call.form("assignment.list")
    granted = call.store.people.granted_at(("form", form.number))
    return json_reply([{"actorId": actor, "roleId": role} for actor, role in granted])


@routes.on("POST", "/projects/{project}/forms/{form}/assignments/{role}/{actor}")
def assign_form(call: Call) -> Response:
    form = call.form("assignment.create")
    return _grant(call, ("form", form.number), form.actee)


@routes.on("DELETE", "/projects/{project}/forms/{form}/assignments/{role}/{actor}")
def withdraw_form(call: Call) -> Response:
    form = call.form("assignment.delete")
    if not call.store.people.withdraw(_actor(call), _role(call), ("form", form.number)):
        raise not_found()
    return success()


@routes.on("POST", "/projects/{project}/forms/{form}/public-links")
def add_public_link(call: Call) -> Response:
    form = call.form("public_link.create")
    given = call.json()
    people = call.store.people
    actor = people.add("public_link", given.get("displayName", ""), call.store.now(), project_id=form.project.id)
    actor.token = new_token()
    people.grant(actor, ROLE_IDS["pub-link"], ("form", form.number))
    said = {"once": bool(given.get("once")), **actor.to_json(), "token": actor.token}
    return json_reply({**said, "csrf": "c" * 64, "expiresAt": _FOREVER})


@routes.on("GET", "/audits")
def audits(call: Call) -> Response:
    call.need("audit.read")
    query = call.query
    for name in ("start", "end"):
        if name in query and not _is_date(query[name]):
            raise internal()
    found = [line for line in reversed(call.store.log) if _wanted(line, query)]
    first = int(query.get("offset", 0))
    shown = found[first : first + int(query["limit"])] if "limit" in query else found[first:]
    return json_reply([_audit(line, extended=call.extended) for line in shown])


def _audit(line: Audit, *, extended: bool) -> dict[str, Any]:
    said = line.to_json()
    if extended:
        said["actor"] = line.actor.to_json() if line.actor else None
        if line.form is not None:
            said["actee"] = form_json(line.form)
    return said


def _wanted(line: Audit, query: dict[str, str]) -> bool:
    action = query.get("action", "")
    if action and line.action != action and not line.action.startswith(f"{action}."):
        return False
    return query.get("start", "") <= line.at <= query.get("end", "9999")


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _grant(call: Call, place: tuple[str, int], actee: str) -> Response:
    actor, role = _actor(call), _role(call)
    if not call.store.people.grant(actor, role, place):
        raise exists("assignments", actorId=actor.id, roleId=role, acteeId=actee)
    return success()


def _role(call: Call) -> int:
    text = call.parts["role"]
    role = int(text) if text.isdigit() else ROLE_IDS.get(text, 0)
    if role not in ROLE_IDS.values():
        raise not_found()
    return role


def _actor(call: Call) -> Actor:
    text = call.parts["actor"]
    found = call.store.people.actors.get(int(text)) if text.isdigit() else None
    if found is None or found.deleted_at:
        raise not_found()
    if found.type == "field_key" and found.project_id != call.project().id:
        raise forbidden()
    return found


def _is_app_user(actor: Actor, project: Project) -> bool:
    return actor.type == "field_key" and actor.project_id == project.id and not actor.deleted_at


def _app_user(actor: Actor, *, extended: bool) -> dict[str, Any]:
    said = {"projectId": actor.project_id, **actor.to_json(), "token": actor.token or None}
    if extended:
        creator = actor.creator.to_json() if actor.creator else None
        said |= {"createdBy": creator, "lastUsed": None, "properties": None}
    return said


def _shown(project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "archived": project.archived,
        "keyId": project.key.id if project.key else None,
        "createdAt": project.created_at,
        "updatedAt": project.updated_at,
        "deletedAt": None,
    }
