"""What a phone loads from the embedded server, and with which key."""

from __future__ import annotations

import hashlib
from xml.etree.ElementTree import fromstring

import requests

from dialogkit.serve.access import Access

LIST = "{http://openrosa.org/xforms/xformsList}"
MANIFEST = "{http://openrosa.org/xforms/xformsManifest}"


def test_every_answer_has_the_openrosa_version_and_one_date(field_server):
    for path in ("formList", "nothing/here", "submission", "view/submissionList"):
        reply = requests.get(f"{field_server.phone_url}/{path}", timeout=10)
        assert reply.headers["X-OpenRosa-Version"] == "1.0"
        assert reply.raw.headers.getlist("Date") == [reply.headers["Date"]]
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in reply.headers


def test_the_form_list_names_each_form_with_the_hash_of_the_bytes_that_are_served(field_server):
    reply = requests.get(f"{field_server.phone_url}/formList?deviceID=collect%3Axyz", timeout=10)
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "text/xml; charset=utf-8"
    (entry,) = fromstring(reply.content).iter(f"{LIST}xform")
    said = {part.tag.removeprefix(LIST): part.text for part in entry}
    assert (said["formID"], said["name"], said["version"]) == ("talk", "Talk", "2")
    assert said["downloadUrl"].startswith(field_server.phone_url + "/")
    form = requests.get(said["downloadUrl"], params={"deviceID": "x"}, timeout=10)
    assert said["hash"] == "md5:" + hashlib.md5(form.content).hexdigest()
    assert "text/xml" in form.headers["Content-Type"]


def test_the_manifest_names_each_media_file_with_its_hash(field_server):
    listed = requests.get(f"{field_server.phone_url}/formList", timeout=10)
    url = fromstring(listed.content).find(f"{LIST}xform/{LIST}manifestUrl").text
    reply = requests.get(url, timeout=10)
    assert "text/xml" in reply.headers["Content-Type"]
    (entry,) = fromstring(reply.content).iter(f"{MANIFEST}mediaFile")
    said = {part.tag.removeprefix(MANIFEST): part.text for part in entry}
    media = requests.get(said["downloadUrl"], timeout=10)
    assert said["filename"] == "a plan.png"
    assert said["hash"] == "md5:" + hashlib.md5(media.content).hexdigest()


def test_addresses_are_built_from_the_public_address_when_there_is_one(serve):
    with serve(public_url="https://forms.example.org/base/") as field:
        token = field.phone_url.rpartition("/key/")[2].split("/")[-1]
        reply = requests.get(f"{field.url}/key/{token}/formList", timeout=10)
        assert f"<downloadUrl>https://forms.example.org/base/key/{token}/forms/talk/form.xml<" in reply.text


def test_a_hostile_host_header_stays_text(field_server):
    reply = requests.get(f"{field_server.phone_url}/formList", headers={"Host": 'x"><evil/>'}, timeout=10)
    assert reply.status_code == 400 or "<evil/>" not in reply.text


def test_the_page_at_the_root_says_what_this_is_and_names_no_form(field_server):
    reply = requests.get(field_server.url, timeout=10)
    assert "form server" in reply.text
    assert "alk" not in reply.text


def test_a_form_or_media_file_that_is_not_there_is_404(field_server):
    for path in ("forms/other/form.xml", "forms/talk/media/x.png", "forms/talk/media/..%2F..%2Fdialogkit.toml"):
        assert requests.get(f"{field_server.phone_url}/{path}", timeout=10).status_code == 404


# --- keys -------------------------------------------------------------------------------------------------------------


def test_a_wrong_key_gets_nothing_and_is_told_so(field_server):
    wrong = f"{field_server.url}/key/{'0' * 64}"
    for reply in (
        requests.get(f"{wrong}/formList", timeout=10),
        field_server.post(field_server.xml("uuid:1"), url=wrong),
    ):
        assert reply.status_code == 404
        assert "not known here or was revoked" in field_server.message(reply)
    assert field_server.ids() == []


def test_a_revoked_key_stops_at_once_on_a_running_server(field_server):
    assert field_server.post(field_server.xml("uuid:1")).status_code == 201
    Access(field_server.root / "server" / "keys.json").revoke_key("phones")
    assert field_server.post(field_server.xml("uuid:2")).status_code == 404
    assert field_server.ids() == ["uuid:1"]


def test_without_a_key_the_server_asks_for_digest(field_server):
    reply = requests.head(f"{field_server.url}/submission", timeout=10)
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"].startswith("Digest realm=")


def test_digest_works_for_loading_and_sending(field_server):
    field_server.access.add_key("tablet", "phone", user="tablet", password="long enough")
    auth = requests.auth.HTTPDigestAuth("tablet", "long enough")
    listed = requests.get(f"{field_server.url}/formList?deviceID=x%3Ay", auth=auth, timeout=10)
    assert f"<downloadUrl>{field_server.url}/forms/talk/form.xml<" in listed.text
    sent = requests.post(
        f"{field_server.url}/submission",
        files={"xml_submission_file": ("s.xml", field_server.xml("uuid:1"), "text/xml")},
        auth=auth,
        timeout=10,
    )
    assert sent.status_code == 201
    wrong = requests.auth.HTTPDigestAuth("tablet", "not the password")
    assert requests.get(f"{field_server.url}/formList", auth=wrong, timeout=10).status_code == 401


def test_a_recorded_digest_request_cannot_be_sent_again(field_server):
    field_server.access.add_key("tablet", "phone", user="tablet", password="long enough")
    auth = requests.auth.HTTPDigestAuth("tablet", "long enough")
    first = requests.get(f"{field_server.url}/formList", auth=auth, timeout=10)
    recorded = first.request.headers["Authorization"]
    again = requests.get(f"{field_server.url}/formList", headers={"Authorization": recorded}, timeout=10)
    assert (first.status_code, again.status_code) == (200, 401)


def test_a_phone_key_cannot_read_what_was_sent(field_server):
    for path in ("submissionList", "downloadSubmission", "attachment", "refused"):
        reply = requests.get(f"{field_server.phone_url}/view/{path}?formId=talk", timeout=10)
        assert reply.status_code == 403
        assert "for phones" in field_server.message(reply)


def test_a_broken_file_of_keys_closes_the_server_and_says_so(field_server):
    (field_server.root / "server" / "keys.json").write_text("{")
    reply = requests.get(f"{field_server.phone_url}/formList", timeout=10)
    assert reply.status_code == 503
