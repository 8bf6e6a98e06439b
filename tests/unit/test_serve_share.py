"""What a phone is told: the settings of ODK Collect and KoboCollect, and their QR code."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree.ElementTree import fromstring

import jsonschema
import pytest

from dialogkit.servers.share import collect_settings, qr_file, qr_terminal, qr_text, settings_of
from dialogkit.steps.share import for_phones, open_to_others

URL = "http://192.168.1.20:8790/key/" + "0123456789abcdef" * 4


def test_the_settings_survive_the_way_through_the_qr_text():
    settings = collect_settings(URL, "Dialogues «São»")
    assert settings_of(qr_text(settings)) == settings
    assert settings["general"]["server_url"] == URL
    assert settings["general"]["form_update_mode"] == "match_exactly"
    assert settings["general"]["autosend"] == "wifi_and_cellular"
    assert settings["general"]["protocol"] == "odk_default"
    assert settings["admin"] == {"change_server": False}
    assert settings["project"] == {"name": "Dialogues «São»"}


SCHEMA = json.loads(Path(__file__).with_name("collect_settings.schema.json").read_text())
#: The QR text of ODK Central's own page for an app user, as it was recorded.
OF_CENTRAL = (
    "eJwtjssKgzAQRX+lzFoMbt2V6q6r0n0YklHT5kUysRXx3xuhy8s5HO4OM3lKaKHfIVNaKcmS6oKFOeZeCEWeK2/piy5aakOaxdqJN23iMQ7X23Mc"
    "REzhRYqz6KCBKSQnS9TIJF3QVFsOWS2yFhTbrSpYOGTyuqKPmYxEr6Uia4vFBEcD/975yaM7C/eg0F60QRvmQvmUUDvjq3IcPxSrRfA="
)


@pytest.mark.parametrize("username", ["", "collector"])
@pytest.mark.parametrize("url", [URL, "https://kc.kobotoolbox.org", "https://kc.kobotoolbox.org/owner"])
def test_the_settings_in_a_code_are_those_that_collect_knows(url, username):
    jsonschema.validate(settings_of(qr_text(collect_settings(url, "x", username))), SCHEMA)


def test_the_schema_takes_what_odk_central_itself_writes():
    jsonschema.validate(settings_of(OF_CENTRAL), SCHEMA)


@pytest.mark.parametrize(
    "general",
    [{"server_url": "forms.example.org"}, {"autosend": "always"}, {"form_update_mode": "exact"}, {"url": "x"}],
)
def test_the_schema_refuses_what_collect_would_pass_over(general):
    settings = collect_settings(URL, "x")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(settings | {"general": settings["general"] | general}, SCHEMA)


def test_a_collector_is_named_in_the_settings_and_never_with_a_password():
    assert "username" not in collect_settings(URL, "x")["general"]
    general = collect_settings(URL, "x", "collector")["general"]
    assert general["username"] == "collector"
    assert "password" not in general


@pytest.mark.parametrize("text", ["", "x", "eJw=", "é"])
def test_a_text_that_is_no_settings_is_refused(text):
    with pytest.raises(ValueError, match="not the settings"):
        settings_of(text)


def test_the_code_is_drawn_as_png_as_svg_and_in_characters():
    text = qr_text(collect_settings(URL, "x"))
    assert qr_file(text, "png").startswith(b"\x89PNG")
    assert fromstring(qr_file(text, "svg")).tag.endswith("svg")
    assert b'fill="#fff"' in qr_file(text, "svg") or b'fill="white"' in qr_file(text, "svg")
    lines = qr_terminal(text).splitlines()
    assert len(lines) > 20
    assert max(map(len, lines)) < 120
    # White on black, also on a terminal with a bright background.
    assert all(line.startswith("\x1b[38;5;231;48;5;16m") and line.endswith("\x1b[0m") for line in lines)


@pytest.mark.parametrize(
    ("listen", "others"), [("127.0.0.1:8790", False), ("localhost:1", False), ("[::1]:1", False), ("0.0.0.0:1", True)]
)
def test_whether_other_devices_reach_an_address_is_told(listen, others):
    assert open_to_others(listen) == others


def test_an_address_for_all_is_shown_to_phones_with_one_that_they_can_use():
    assert for_phones("10.1.2.3:8790") == "10.1.2.3:8790"
    assert for_phones("0.0.0.0:8790").endswith(":8790")
