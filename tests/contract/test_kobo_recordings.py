"""The look-alike of KoboToolbox answers every recorded request as the real server did."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
import requests

from tests.lookalikes.kobo import lookalike
from tests.lookalikes.kobo.asset import Asset
from tests.lookalikes.kobo.marks import Clock
from tests.lookalikes.kobo.recorded import BEFORE, ORDER, RECORDINGS, moment_of, recorded_body, recordings
from tests.lookalikes.kobo.replay import Got, Replay, differences

_EXPORT = "an export: dialogkit pulls data from the listing only, because exports drop repeats or are cached"
_HOOK = "a hook: dialogkit asks, nothing is sent to it"
_REPORT = "statistics for the web pages: dialogkit counts by itself"
_COLLECTOR = "links for data collectors without an account: dialogkit shares by account or to everybody"
NOT_USED: Final = {
    **dict.fromkeys(
        [
            "attachments_zip_or_media_export",
            "export_bad_lang",
            "export_bad_params",
            "export_bad_type",
            "export_csv",
            "export_csv_download",
            "export_csv_labels_en",
            "export_csv_labels_en_download",
            "export_csv_labels_en_status",
            "export_csv_query",
            "export_csv_query_download",
            "export_csv_query_status",
            "export_csv_status",
            "export_geojson",
            "export_geojson_download",
            "export_geojson_status",
            "export_settings_create",
            "export_settings_data_csv",
            "export_settings_data_csv_again_cached",
            "export_settings_data_csv_follow",
            "export_settings_data_csv_no_auth",
            "export_settings_data_xlsx",
            "export_settings_duplicate_name",
            "export_settings_list",
            "export_xlsx",
            "export_xlsx_download",
            "export_xlsx_status",
            "exports_list",
            "legacy_kc_export_csv",
            "data_geojson",
        ],
        _EXPORT,
    ),
    **dict.fromkeys(
        [
            "hook_create",
            "hook_create_bad",
            "hook_delete",
            "hook_delivery",
            "hook_logs",
            "hook_logs_success",
            "hooks_list",
        ],
        _HOOK,
    ),
    **dict.fromkeys(["asset_reports", "asset_counts", "asset_table_view", "service_usage"], _REPORT),
    **dict.fromkeys(["collector_bad_token", "collector_token_formlist", "collector_token_submission"], _COLLECTOR),
    "attachment_download_small": "a smaller image: dialogkit fetches what was sent",
    "briefcase_download_submission": "ODK Briefcase's protocol, which does not work on this server",
    "briefcase_submission_list": "ODK Briefcase's protocol, which does not work on this server",
    "data_duplicate": "copies a submission, for tests by hand in the web pages",
    "data_page_page_size": "`page` and `page_size` corrupt the result; dialogkit pages by `_id`",
    "formlist_digest": "signing in by Digest: dialogkit sends its token",
    "environment": "long lists for the web pages; the two facts a client needs have a test of their own below",
}

#: Where only the shape can be compared, and why.
LOOSE: Final = frozenset(
    {
        r"\.\$kuid$",  # made up
        r"\.timestamp$|\.server_time$",  # the clock
        r"^\.token$",  # REDACTED in the recording
        r"\.columns\b|\.effective_permissions\b",  # sets, in any order
        r"^\.error$",  # pyxform's words: kpi pins another version
        r"\.export_settings$",  # not part of the look-alike
    }
)


@pytest.fixture(scope="module")
def answers() -> dict[str, Got]:
    """What the look-alike says to all recorded requests, one after the other."""
    with pytest.MonkeyPatch.context() as monkeypatch, lookalike() as place:
        replay = Replay(place)
        got: dict[str, Got] = {}
        for recording in recordings():
            name = recording["name"]
            if name in BEFORE:
                BEFORE[name](replay)
            if name not in NOT_USED:
                monkeypatch.setattr(Clock, "standing", moment_of(recording))
                got[name] = replay.send(recording)
        return got


@pytest.mark.parametrize(
    "recording", [one for one in recordings() if one["name"] not in NOT_USED], ids=lambda r: r["name"]
)
def test_answers_as_recorded(recording: dict[str, Any], answers: dict[str, Got]) -> None:
    assert differences(recording, answers[recording["name"]], LOOSE) == []


def test_every_recording_is_replayed_or_has_a_reason_not_to_be() -> None:
    names = {path.stem for path in RECORDINGS.glob("*.json")} - {"_index"}
    assert NOT_USED.keys() <= names
    assert {one["name"] for one in recordings()} == names
    assert all(NOT_USED.values())


def test_the_order_and_the_gaps_name_recordings_that_exist() -> None:
    names = {one["name"] for one in recordings()}
    assert set(ORDER) <= names
    assert len(ORDER) == len(set(ORDER))
    assert BEFORE.keys() <= names - NOT_USED.keys()


def test_the_environment_has_two_facts_of_the_recorded_one() -> None:
    recorded = recorded_body("environment")
    with lookalike() as place:
        ours = _get(place.url + "/api/v2/environment/", place.token).json()
    assert ours.keys() <= recorded.keys()
    assert {key: type(recorded[key]) for key in ours} == {key: type(ours[key]) for key in ours}


def _get(url: str, token: str, **query: str) -> requests.Response:
    return requests.get(url, params=query, headers={"Authorization": f"Token {token}"}, timeout=20)


def _first_data_set(name: str) -> dict[str, Any]:
    recording: dict[str, Any] = json.loads((RECORDINGS / "first-data-set" / f"kobo-{name}.json").read_text())
    return {**recording, "name": name}


@pytest.mark.parametrize("name", ["data", "listing", "asset"])
def test_the_first_data_set_reads_as_on_the_real_server(name: str) -> None:
    content = _first_data_set("asset")["response"]["body"]
    with lookalike() as place:
        replay = Replay(place)
        asset = place.state.add_asset(Asset(content["name"], "organiser", content["content"]))
        place.state.deploy(asset)
        replay.names[content["uid"]] = asset.uid
        for row in _first_data_set("data")["response"]["body"]["results"]:
            own = {key: value for key, value in row.items() if not key.startswith("_") or key == "__version__"}
            id_ = place.state.new(asset.uid, own, by=row["_submitted_by"], number=row["_id"])
            place.state.place_of(id_)[1].submitted = row["_submission_time"]
        recording = _first_data_set(name)
        recording["request"]["headers"]["Authorization"] = "Token REDACTED"
        got = replay.send(recording)
    assert differences(recording, got, LOOSE | {r"^\.version_count$"}) == []


def test_each_change_shows_in_the_listing_and_only_there_where_it_does_on_the_server() -> None:
    with lookalike() as place:
        state = place.state
        form = state.form(survey=[{"type": "image", "name": "photo", "$xpath": "photo", "$kuid": "k"}])
        ids = [state.new(form, {"photo": "a.png"}) for _ in range(5)]
        before = _by_root(place.url, place.token, form)
        state.edit(ids[0], {"photo": "b.png"})
        state.review(ids[1], "has_issues")
        state.attach(ids[2], "a.png", b"late")
        state.delete(ids[3])
        after = _by_root(place.url, place.token, form)
        assert set(before) - set(after) == {ids[3]}
        assert {id_ for id_ in after if after[id_] != before[id_]} == set(ids[:3])
        assert after[ids[0]]["_id"] == before[ids[0]]["_id"]
        assert after[ids[0]]["_submission_time"] == before[ids[0]]["_submission_time"]
        state.clear(ids[2], "a.png")
        assert _by_root(place.url, place.token, form)[ids[2]]["_attachments"][0]["is_deleted"]
        assert set(state.everything(form)) == set(after)


def test_hand_made_xml_is_read_as_the_real_server_reads_it() -> None:
    """Seen with the server of `pytest -m live`."""
    body = "<a>x<![CDATA[b < c]]>y</a><b>d<!-- e -->f</b><c>  </c><d>&#10;</d><g><h>1</h></g><g><h>2</h></g>"
    with lookalike() as place:
        form = place.state.form(survey=[{"type": "text", "name": "a", "$xpath": "a", "$kuid": "k"}])
        xml = f'<{form} id="{form}">{body}<meta><instanceID> uuid:odd </instanceID></meta></{form}>'
        assert place.state.new(form, xml.encode()) == "uuid:odd"
        row = _by_root(place.url, place.token, form)["uuid:odd"]
    assert {name: row[name] for name in row if name in set("abcdg")} == {
        "a": "b < c",
        "d": "\n",
        "g": [{"g/h": "1"}, {"g/h": "2"}],
    }


def _by_root(url: str, token: str, form: str) -> dict[str, dict[str, Any]]:
    results = _get(f"{url}/api/v2/assets/{form}/data/", token).json()["results"]
    return {one["meta/rootUuid"]: one for one in results}
