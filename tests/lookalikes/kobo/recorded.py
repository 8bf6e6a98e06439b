"""The recordings in the order in which they were made, and what happened between them on the recorded server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from tests.lookalikes.kobo.replay import Replay
from tests.lookalikes.kobo.rows import Attached
from tests.lookalikes.kobo.state import Event

RECORDINGS: Final = Path(__file__).parents[2] / "recordings" / "kobo"
RICH: Final = "a3FVyLyt2dbgScqcRaSKMT"
SMALL: Final = "aALw7k8aq4FPwTaEErD6GL"
ROW_7: Final = "fdddd192-4e7b-4220-afd7-9b3ddf3c2699"

#: Recordings of one second, in the order in which they were made; what is not named comes first, by its name.
ORDER: Final = (RECORDINGS / "_order.txt").read_text().split()


def recordings() -> list[dict[str, Any]]:
    """All of them, in the order in which they were made."""
    read = [json.loads(path.read_text()) for path in RECORDINGS.glob("*.json") if path.stem != "_index"]
    return sorted(read, key=_order)


def _order(recording: dict[str, Any]) -> tuple[float, int, str]:
    date = recording["response"]["headers"].get("Date")
    name = recording["name"]
    rank = ORDER.index(name) if name in ORDER else -1
    return (parsedate_to_datetime(date).timestamp() if date else 0, rank, name)


def _number(number: int) -> Callable[[Replay], None]:
    def set_number(replay: Replay) -> None:
        replay.place.state.next_number = number

    return set_number


def _town(number: int, uuid: str, replay: Replay) -> None:
    """A submission that the recordings speak of but do not hold."""
    data = recorded_body("data_single_after_attachment_delete")
    own = {key: value for key, value in data.items() if not key.startswith("_") and key != "meta/rootUuid"}
    answers = {**own, "meta/instanceID": f"uuid:{uuid}", "__version__": data["__version__"]}
    state = replay.place.state
    id_ = state.new(replay.names[RICH], answers, by="organiser", number=number)
    if number == 7:
        _, row = state.place_of(id_)
        row.files = [Attached(one["media_file_basename"], b"x", one["mimetype"]) for one in data["_attachments"]]
        for one, entry in zip(row.files, data["_attachments"], strict=True):
            replay.names[entry["uid"]] = one.uid


def recorded_body(name: str) -> Any:
    return json.loads((RECORDINGS / f"{name}.json").read_text())["response"]["body"]


def _towns(replay: Replay) -> None:
    _town(7, ROW_7, replay)
    _town(8, "c97ca13e-5f07-415d-8bec-74797e9bc068", replay)
    _town(9, "6de3291c-7fdb-414c-963a-261f8d68fa8d", replay)


def _copy(replay: Replay) -> None:
    _town(10, "00000000-0000-4000-8000-000000000010", replay)
    replay.place.state.next_number = 11


def _encrypted(replay: Replay) -> None:
    newest = list(replay.place.state.assets)[-1]
    replay.names["asmKrqXbyajoyBvHs8juPz"] = newest


def _thousand(replay: Replay) -> None:
    known = {one["_id"]: one for one in recorded_body("data_page_limit_3_of_1000")["results"]}
    first = next(iter(known.values()))
    for number in range(20, 1020):
        shown = known.get(number, first)
        own = {key: value for key, value in shown.items() if not key.startswith("_")}
        own["meta/instanceID"] = f"uuid:{UUID(int=number)}" if shown is first else own["meta/instanceID"]
        own.pop("meta/rootUuid")
        answers = {**own, "__version__": first["__version__"]}
        id_ = replay.place.state.new(replay.names[SMALL], answers, by="organiser", number=number)
        replay.place.state.place_of(id_)[1].submitted = shown["_submission_time"]


def _saved_again(replay: Replay) -> None:
    asset = replay.place.state.assets[replay.names[RICH]]
    asset.name = "Local dialogue (rich)"
    asset.saved("organiser")
    for number in range(5000, 5000 + 275 - len(asset.rows)):
        replay.place.state.new(asset.uid, {}, number=number)
    replay.names["vXvbYzJwR4pMvRJ7MZhFvY"] = asset.version_id


def _looked(replay: Replay) -> None:
    """Somebody looked at the data once more, and often before."""
    state, asset = replay.place.state, replay.names[RICH]
    events = state.history[asset]
    state.note(state.assets[asset], "organiser", "view-data")
    events[:0] = [Event(events[0].moment, "organiser", "view-data")] * (56 - len(events))


def _history(asset: str, name: str) -> Callable[[Replay], None]:
    def fill(replay: Replay) -> None:
        """The lines a recorded history shows, and as many older ones as it counts."""
        recorded = recorded_body(name)
        events = replay.place.state.history[replay.names[asset]]
        events[:] = [_event(one) for one in reversed(recorded["results"])]
        events[:0] = [events[0]] * (recorded["count"] - len(events))

    return fill


def _event(line: dict[str, Any]) -> Event:
    submission = dict(line["metadata"].get("submission", {}))
    moment = datetime.fromisoformat(line["date_created"])
    root, by = submission.pop("root_uuid", ""), submission.pop("submitted_by", None)
    return Event(moment, line["username"], line["action"], root, by, submission)


def _only_https(replay: Replay) -> None:
    replay.place.state.basic_over_http = False


def _both(replay: Replay) -> None:
    replay.place.state.basic_over_http = True


#: What happened on the recorded server between the recordings, by the recording before which it is made up for.
BEFORE: Final[dict[str, Callable[[Replay], None]]] = {
    "history_list": _looked,
    "history_export_actions_submission_only": _history(RICH, "history_export_actions_submission_only"),
    "history_query_by_root_uuid": _history(RICH, "history_query_by_root_uuid"),
    "history_all_submission_actions": _history(SMALL, "history_all_submission_actions"),
    "submission_wrong_form_id_right_uuid": _number(3),
    "bulk_update": _towns,
    "permission_assignments_list": _copy,
    "deploy_encrypted": _encrypted,
    "submission_encrypted": _number(19),
    "data_page_limit_3_of_1000": _thousand,
    "redeploy_after_media_replace": _saved_again,
    "formlist_basic_over_http_refused": _only_https,
    "error_body_in_french": _both,
}


def moment_of(recording: dict[str, Any]) -> datetime:
    saved = re.search(r'markedAsCompleteDate="([^"]+)"', str(recording["response"].get("body", "")))
    if saved:
        return datetime.fromisoformat(saved[1])
    return parsedate_to_datetime(recording["response"]["headers"]["Date"])
