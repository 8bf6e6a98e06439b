"""Reviews and corrections on KoboToolbox."""

from __future__ import annotations

from collections.abc import Mapping

from dialogkit.errors import NotOnServer, ServerRefused
from dialogkit.model.form import Form
from dialogkit.servers.kobo.listing import data_query, get_data
from dialogkit.servers.kobo.rows import STATUS_UIDS
from dialogkit.servers.kobo.session import KoboSession, asset_path, number, objects, remote_id_of, text


class KoboReview:
    """Satisfies `model.host.ReviewServer`.

    Args:
        session: the account; it needs the rights to validate and to edit submissions.
        remote_ids: our form_id → the form there.
    """

    def __init__(self, session: KoboSession, remote_ids: Mapping[str, str]) -> None:
        self.name, self._session, self._remote_ids = session.name, session, remote_ids

    def check(self, state: str, comment: str) -> None:
        """KoboToolbox keeps states.

        Raises:
            ServerRefused: SERVER-111, there is a comment. Nothing was changed.
        """
        if comment:
            raise ServerRefused(
                "SERVER-111",
                self.name,
                "KoboToolbox keeps no comments on submissions. Nothing was changed.",
                "Leave the comment out; keep notes of your own beside the data.",
            )

    def review(self, form_id: str, submission_id: str, state: str, comment: str) -> None:
        """Set the validation status (`""` leaves it).

        Raises:
            ServerRefused: SERVER-111, there is a comment, and KoboToolbox keeps none. Nothing was changed.
            NotOnServer: SERVER-115, the submission is not there.
        """
        self.check(state, comment)
        if state:
            remote_id = remote_id_of(self._remote_ids, form_id, self.name)
            place = self._place(form_id, submission_id)
            path = asset_path(remote_id, f"data/{place}/validation_status/")
            self._session.send_json("PATCH", path, {"validation_status.uid": STATUS_UIDS[state]}, again=True)

    def correct(self, form: Form, submission_id: str, changes: Mapping[str, str], comment: str) -> str:
        """Change answers as an edit: full path → new text. Returns the new instanceID.

        The server changes the newest edition, and only these answers: what others changed meanwhile stays.

        Raises:
            ServerRefused: SERVER-111 there is a comment; SERVER-116 an answer that cannot be changed there; SERVER-117
                the server did not make the edit.
            NotOnServer: SERVER-115, the submission is not there.
        """
        where = f"{self.name}, {form.form_id}, {submission_id}"
        self.check("", comment)
        for path in changes:
            _refuse_path(form, path, where)
        remote_id = remote_id_of(self._remote_ids, form.form_id, self.name)
        place = self._place(form.form_id, submission_id)
        payload = {"submission_ids": [str(place)], "data": dict(changes)}
        address = asset_path(remote_id, "data/bulk/")
        reply = self._session.send_json("PATCH", address, {"payload": payload}, allow=(400,))
        said = reply.json()
        found = said if isinstance(said, dict) else {}
        made = objects(found, "results")
        right = [one for one in made if f"uuid:{text(one, 'root_uuid')}" == submission_id and text(one, "uuid")]
        if reply.status == 400 or number(found, "successes") != 1 or len(right) != 1:
            raise ServerRefused(
                "SERVER-117",
                where,
                "The server did not change the submission.",
                "Look at it on KoboToolbox: the form must not be archived, and this account needs the right to edit.",
            )
        return f"uuid:{text(right[0], 'uuid')}"

    def _place(self, form_id: str, submission_id: str) -> int:
        """The number of a submission."""
        path = asset_path(remote_id_of(self._remote_ids, form_id, self.name), "data/")
        where = f"{self.name}, {form_id}"
        asked = data_query({"meta/rootUuid": {"$in": [submission_id]}}, 1, ["_id"])
        found = self._session.mapping(get_data(self._session, path, asked, where))
        places = {text(row, "meta/rootUuid"): number(row, "_id") for row in objects(found, "results")}
        place = places.get(submission_id, -1)
        if place < 0:
            raise NotOnServer(
                "SERVER-115",
                f"{where}, {submission_id}",
                "The submission is not on the server, or this account may not see it.",
                "Pull first; then look it up with dialogkit held show.",
            )
        return place


def _refuse_path(form: Form, path: str, where: str) -> None:
    """The server would add any element that it is told to."""
    if path in form.by_path and not form.repeat_of(path) and form.by_path[path].has_answer:
        return
    raise ServerRefused(
        "SERVER-116",
        f"{where}, {path}",
        "KoboToolbox can change answers outside repeats only, and this is none of them. Nothing was changed.",
        "Correct it on KoboToolbox in the browser (table, edit), then pull.",
    )
