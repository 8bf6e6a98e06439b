"""The look-alike of ODK Central answers as the real one did, exchange by exchange."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from tests.lookalikes.central import Place, lookalike
from tests.lookalikes.central.build import XLSX
from tests.lookalikes.central.compare import same_content
from tests.lookalikes.central.forming import make_blob
from tests.lookalikes.central.replay import RECORDINGS, recordings, replaying

RECORDED = recordings()
FIRST = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((RECORDINGS.parent / "first-data-set").glob("central-*.json"))
}
#: Recordings that a test of their own replays.
ELSEWHERE = {"extra/change-visibility-matrix", *(f"first-data-set/{name}" for name in FIRST)}

_ENTITIES = "entities and datasets are not used by dialogkit"
NOT_USED = {
    "050-odata-metadata": "dialogkit takes the fields of a form from /fields, never from OData's metadata",
    "118-submission-geojson": "dialogkit takes places from the answers, never as GeoJSON",
    "136-submission-diffs": "dialogkit keeps every edition itself and compares those",
    "232-password-too-short": "dialogkit makes no accounts",
    "233-password-weak": "dialogkit makes no accounts",
    "253-audits-limit-offset": "lines of the server's log about accounts, which dialogkit neither makes nor reads",
    "257-odata-metadata-accept-json": "as 050",
    "301-entity-form-create-publish": _ENTITIES,
    "302-datasets-list": _ENTITIES,
    "303-dataset-get": _ENTITIES,
    "304-entity-form-xml": _ENTITIES,
    "305-entity-submission-0": _ENTITIES,
    "305-entity-submission-1": _ENTITIES,
    "306-entities-odata": _ENTITIES,
    "307-entities-list": _ENTITIES,
    "308-entities-csv": _ENTITIES,
    "309-entities-geojson": _ENTITIES,
    "310-entity-create-api": _ENTITIES,
    "311-entity-create-bulk": _ENTITIES,
    "312-entity-update": _ENTITIES,
    "313-entity-update-conflict": _ENTITIES,
    "314-entity-delete": _ENTITIES,
    "315-entities-odata-filter": _ENTITIES,
    "316-entities-odata-deleted": _ENTITIES,
    "317-entity-create-bad-property": _ENTITIES,
    "318-entities-odata-metadata": _ENTITIES,
    "319-dataset-create-direct": _ENTITIES,
    "320-dataset-property-create": _ENTITIES,
    "321-submission-audits-entity-error": _ENTITIES,
    "322-submission-audits-entity-create": _ENTITIES,
    "extra/collect-qr-settings": "settings for ODK Collect, not an answer of the server",
}
REPLAYED = [name for name in RECORDED if name not in NOT_USED]

PHOTOS = b"""<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>P</h:title>
<model><instance><data id="photos" version="1"><n/><one/><two/><meta><instanceID/></meta></data></instance>
<bind nodeset="/data/n" type="int"/><bind nodeset="/data/one" type="binary"/><bind nodeset="/data/two" type="binary"/>
</model></h:head><h:body/></h:html>"""


@pytest.fixture(scope="module")
def played() -> dict[str, list[str]]:
    """The differences of every exchange; they are one session, so they are played in their order, once."""
    with replaying() as replay:
        return {name: replay.play(RECORDED[name]) for name in REPLAYED}


@pytest.mark.parametrize("name", REPLAYED)
def test_it_answers_as_the_real_server_did(played: dict[str, list[str]], name: str) -> None:
    assert played[name] == []


def test_every_recording_is_either_replayed_or_not_used_for_a_reason() -> None:
    found = {str(path.relative_to(RECORDINGS).with_suffix("")) for path in RECORDINGS.rglob("*.json")}
    found |= {f"first-data-set/{name}" for name in FIRST}
    told = [*REPLAYED, *ELSEWHERE, *NOT_USED]
    assert sorted(told) == sorted(found)
    assert all(NOT_USED.values())


def test_a_wrong_answer_is_noticed() -> None:
    recorded = json.loads(json.dumps(RECORDED["001-no-credentials"]))
    recorded["response"]["body"] = recorded["response"]["body"].replace("authenticate", "sign in")
    with replaying() as replay:
        assert len(replay.play(recorded)) == 1


@pytest.fixture(scope="module")
def with_first_data_set() -> Iterator[Place]:
    """A look-alike that took in the five records as the real one did."""
    with lookalike() as place:
        store = place.state.store
        place.state.project.id = 9
        store.projects = {9: place.state.project}
        form = FIRST["central-form-xml"]["response"]["body"].encode()
        place.state.publish(form, content_type="application/xml")
        # The real form came as a workbook, the recorded one is its XML.
        place.state.form("local_dialogue").shown.workbook = make_blob(b"", XLSX, store.now())
        for row in reversed(FIRST["central-odata"]["response"]["body"]["value"]):
            sent = next(each for each in FIRST.values() if each["request"]["path"].endswith(f"/{row['__id']}.xml"))
            store.clock = lambda row=row: datetime.fromisoformat(row["__system"]["submissionDate"])
            place.state.new("local_dialogue", sent["response"]["body"].encode())
        yield place


@pytest.mark.parametrize("name", FIRST)
def test_the_first_data_set_is_read_back_as_from_the_real_server(with_first_data_set: Place, name: str) -> None:
    place, asked = with_first_data_set, FIRST[name]["request"]
    headers = signed_in(place) | {"X-Extended-Metadata": "true"}
    reply = requests.get(place.url + asked["path"], headers=headers, timeout=20)
    assert reply.status_code == FIRST[name]["response"]["status"]
    assert same_content(FIRST[name]["response"], reply) == []


def signed_in(place: Place) -> dict[str, str]:
    given = {"email": place.email, "password": place.password}
    reply = requests.post(f"{place.url}/v1/sessions", json=given, timeout=20)
    return {"Authorization": f"Bearer {reply.json()['token']}"}


def test_each_change_shows_where_it_showed_on_the_real_server() -> None:
    recorded = json.loads((RECORDINGS / "extra" / "change-visibility-matrix.json").read_text(encoding="utf-8"))
    with lookalike() as place:
        watch = Watch(place)
        for line, change in zip(recorded, changes(place, watch), strict=True):
            assert watch.after(change) == {name: line[name] for name in Watch.SEEN}, line["op"]


def changes(place: Place, watch: Watch) -> list[Callable[[], Any]]:
    """The operations of the matrix, in its order."""
    state, comments = place.state, f"{watch.form}/submissions/a/comments"
    answers = {"n": "1", "one": "1.png", "two": "2.png"}
    return [
        lambda: state.new("photos", answers, instance_id="a"),
        lambda: state.attach("a", "1.png", b"first"),
        lambda: state.attach("a", "2.png", b"second"),
        lambda: state.clear("a", "2.png"),
        lambda: requests.post(comments, json={"body": "Please check."}, headers=watch.headers, timeout=20),
        lambda: state.review("a", "hasIssues"),
        lambda: state.review("a", "approved", "checked by phone"),
        lambda: state.edit("a", answers | {"n": "2"}),
        lambda: state.edit("a", answers | {"n": "3"}),
        lambda: state.delete("a"),
        lambda: state.restore("a"),
    ]


class Watch:
    """What a pull sees of a change: dates, ETag, and the lines of the log."""

    SEEN = ("submissionDate", "updatedAt", "deletedAt", "etag", "audit")

    def __init__(self, place: Place) -> None:
        store = place.state.store
        store.clock = self._tick
        self._now = datetime(2026, 11, 20, tzinfo=UTC)
        place.state.publish(PHOTOS, content_type="application/xml")
        self._log = store.log
        self.headers = signed_in(place)
        self.form = f"{place.url}/v1/projects/{place.project_id}/forms/photos"
        self._before, self._tag = self._system(), self._ask("").headers["ETag"]

    def after(self, change: Callable[[], Any]) -> dict[str, Any]:
        seen = len(self._log)
        change()
        now, reply = self._system(), self._ask(self._tag)
        # The deletion of a row that is restored is no news of it.
        changed: dict[str, Any] = {
            name: bool(now.get(name)) and now.get(name) != self._before.get(name) for name in self.SEEN[:3]
        }
        changed["etag"] = "304 (stale!)" if reply.status_code == 304 else "changed"
        changed["audit"] = sorted({line.action for line in self._log[seen:]})
        self._before, self._tag = now, reply.headers["ETag"]
        return changed

    def _system(self) -> dict[str, Any]:
        filtered = {"$filter": "__system/deletedAt eq null or __system/deletedAt ne null"}
        rows = requests.get(f"{self.form}.svc/Submissions", filtered, headers=self.headers, timeout=20).json()["value"]
        return rows[0]["__system"] if rows else {}

    def _ask(self, tag: str) -> requests.Response:
        headers = self.headers | {"If-None-Match": tag}
        return requests.get(f"{self.form}.svc/Submissions", headers=headers, timeout=20)

    def _tick(self) -> datetime:
        self._now += timedelta(milliseconds=1)
        return self._now
