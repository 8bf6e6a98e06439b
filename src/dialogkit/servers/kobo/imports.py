"""A workbook into KoboToolbox: sent, then waited for until it is read."""

from __future__ import annotations

from typing import Any, Final

from dialogkit.errors import ServerRefused, ServerUnreachable
from dialogkit.model.host import Upload
from dialogkit.servers.kobo.session import KoboSession, asset_path, objects, text

#: Seconds between two looks at an import; a server that needs longer than all of them together has a problem.
_WAITS: Final = (0.3, 0.5, 1, 2, 3, *(5,) * 58)
_FIXES: Final = {
    "DuplicateNameException": "KoboToolbox takes no name twice, also not in different groups: rename one of the two "
    "questions, then deploy again.",
    "PermissionDenied": "Ask the owner of the project to let this account edit the form.",
}
_FIX: Final = "Correct the workbook (dialogkit form check tells more), then deploy again. The form there is as it was."


def import_workbook(session: KoboSession, upload: Upload, remote_id: str, where: str) -> str:
    """Create (`remote_id` empty) or replace the draft of a form. Phones notice nothing yet.

    Returns:
        The form there.

    Raises:
        ServerRefused: SERVER-047, the workbook is not taken; with the reason that the server gives.
        ServerUnreachable: SERVER-049, it was not read in time.
    """
    # Anything else than library=false makes a block for the question library.
    fields = {"library": "false", "name": upload.form.title or upload.form.form_id}
    if remote_id:
        fields["destination"] = "/" + asset_path(remote_id)
    file = ("file", f"{upload.form.form_id}.xlsx", upload.workbook)
    reply = session.send_form("api/v2/imports/", fields, file, allow=400)
    if reply.status == 400:
        raise _refused(where, session.reason(reply), "")
    found = session.mapping(reply)
    uid = text(found, "uid")
    if not uid:
        raise session.unexpected("It does not say which import it has begun.")
    messages = _waited_for(session, f"api/v2/imports/{uid}/", where)
    made = [text(one, "uid") for key in ("updated", "created") for one in objects(messages, key)]
    if not made or not made[0] or (remote_id and made[0] != remote_id):
        raise session.unexpected("It does not say which form it has made of the workbook.")
    return made[0]


def _waited_for(session: KoboSession, path: str, where: str) -> dict[str, Any]:
    for wait in _WAITS:
        found = session.ask(path)
        status, messages = text(found, "status"), found.get("messages")
        said = messages if isinstance(messages, dict) else {}
        if status == "complete":
            return said
        if status == "error":
            raise _refused(where, session.http.shown(text(said, "error")), text(said, "error_type"))
        session.again.sleep(wait)
    raise ServerUnreachable(
        "SERVER-049",
        where,
        "The server has not finished reading the workbook in five minutes.",
        "Deploy again later: it goes on where this stopped.",
    )


def _refused(where: str, reason: str, kind: str) -> ServerRefused:
    message = f"KoboToolbox does not take the workbook: {reason or 'it gives no reason'}"
    return ServerRefused("SERVER-047", where, message, _FIXES.get(kind, _FIX))
