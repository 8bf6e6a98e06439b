"""The Briefcase interface and the counts of refusals: what a key for staff may read."""

from __future__ import annotations

import re
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from dialogkit.serve import replies
from dialogkit.serve.declined import Declined
from dialogkit.serve.facts import Facts
from dialogkit.serve.store import Store

MAX_IDS: Final = 1000
_LONGEST: Final = 1000
#: Longer ones are not ours, and Python does not turn thousands of digits into a number.
_NUMBER = re.compile(r"[0-9]{1,18}")
_KEY = re.compile(r"(?P<form_id>.*?)(\[@version=.*?\])?/[^/\[\]]+\[@key='?(?P<instance_id>.*?)'?\]", re.DOTALL)


def submission_list(store: Store, request: Request) -> Response:
    """A page of instanceIDs in the order in which they came; only the current edition of each submission."""
    form_id = request.query_params.get("formId", "")
    cursor = request.query_params.get("cursor", "")
    count = request.query_params.get("numEntries", "100")
    if not _NUMBER.fullmatch(cursor or "0") or not _NUMBER.fullmatch(count):
        raise Declined(400, "cursor and numEntries are numbers that this server gave out.")
    listed = store.index.listed(form_id, int(cursor or 0), max(1, min(int(count), MAX_IDS)))
    return replies.xml_reply(replies.id_chunk(listed, str(listed[-1][0]) if listed else cursor or "0"))


async def download(store: Store, request: Request, base: str) -> Response:
    """One submission, and in headers what the server knows of it."""
    # Cut before it is matched: the time of the match grows faster than the length.
    said = _KEY.fullmatch(request.query_params.get("formId", "")[:_LONGEST])
    if said is None:
        raise Declined(400, "formId is written as form[@version=null and @uiVersion=null]/data[@key=uuid:…].")
    text, facts = await run_in_threadpool(_read, store, said["form_id"], said["instance_id"], base)
    return replies.xml_reply(text, headers=_marks(facts))


def ids(store: Store, request: Request) -> Response:
    """A page of the ids that survive edits, for the comparison at the end of a pull."""
    form_id = request.query_params.get("formId", "")
    cursor = request.query_params.get("cursor", "")
    if not _NUMBER.fullmatch(cursor or "0"):
        raise Declined(400, "cursor is a number that this server gave out.")
    listed = store.index.listed(form_id, int(cursor or 0), MAX_IDS)
    entries = [store.index.get(form_id, instance_id) for _, instance_id in listed]
    found = [entry.root for entry in entries if entry is not None]
    return JSONResponse({"ids": found, "cursor": str(listed[-1][0]) if listed else ""})


def attachment(store: Store, request: Request) -> Response:
    """The bytes of an attachment."""
    asked = request.query_params
    facts = store.facts(asked.get("formId", ""), asked.get("instanceID", ""))
    path = store.file(facts, asked.get("filename", ""))
    if path is None:
        raise Declined(404, "The submission has no such file.")
    return FileResponse(path, media_type="application/octet-stream", filename=path.name)


def refused(store: Store, request: Request) -> Response:
    """Counts by reason."""
    return JSONResponse(dict(store.refused.counts(request.query_params.get("formId", ""))))


def _read(store: Store, form_id: str, instance_id: str, base: str) -> tuple[str, Facts]:
    facts = store.facts(form_id, instance_id)
    body = b"" if facts.refused else store.xml(facts)
    return replies.submission(facts, body, base), facts


def _marks(facts: Facts) -> dict[str, str]:
    said = {
        "X-Dialogkit-Role": facts.role,
        "X-Dialogkit-Submission-Id": facts.submission_id,
        "X-Dialogkit-Received-At": facts.submitted_at,
        "X-Dialogkit-Submitter": facts.label,
        "X-Dialogkit-Refused": facts.refused,
    }
    return {name: replies.header_text(value) for name, value in said.items() if value}
