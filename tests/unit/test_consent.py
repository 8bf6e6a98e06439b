"""Which submissions must never land."""

from __future__ import annotations

import pytest

from dialogkit.model.consent import DELETE_CHOSEN, IMPORT_THROUGH_FORM_SERVER, NO_CONSENT, refusal
from tests.builders import make_form

FORM = make_form(
    "f",
    "1",
    [
        ("text", "c/source", {"concept": "meta.source_ref"}),
        ("select_one", "c/basis", {"concept": "consent.basis"}),
        ("select_one", "c/adult", {"concept": "consent.adult"}),
        ("select_one", "c/record", {"concept": "consent.record"}),
        ("calculate", "c/gate", {"concept": "consent.gate"}),
        ("select_one", "c/final", {"concept": "consent.final_choice"}),
    ],
)
UNGATED = make_form("f", "1", [("text", "c/source", {"concept": "meta.source_ref"}), ("text", "c/other")])
YES = {"c/gate": "1"}


@pytest.mark.parametrize(
    ("origin", "answers", "reason"),
    [
        ("server", YES, ""),
        ("server", {"c/gate": "1.0"}, ""),
        ("server", {}, NO_CONSENT),
        ("server", {"c/gate": "0"}, NO_CONSENT),
        ("server", {"c/gate": ""}, NO_CONSENT),
        ("server", {"c/gate": "true"}, NO_CONSENT),
        ("server", {"c/gate": "1 1"}, NO_CONSENT),
        ("server", YES | {"c/adult": "no"}, NO_CONSENT),
        ("server", YES | {"c/adult": " no "}, NO_CONSENT),
        ("server", YES | {"c/adult": "yes"}, ""),
        ("server", YES | {"c/record": "no"}, NO_CONSENT),
        ("server", YES | {"c/final": "delete"}, DELETE_CHOSEN),
        ("server", YES | {"c/final": "keep"}, ""),
        ("server", YES | {"c/source": "https://example.org"}, IMPORT_THROUGH_FORM_SERVER),
        ("server", YES | {"c/basis": "public_source"}, IMPORT_THROUGH_FORM_SERVER),
        ("server", YES | {"c/basis": "spoken"}, ""),
        ("server", YES | {"c/source": "  "}, ""),
        ("import", YES | {"c/source": "https://example.org", "c/basis": "public_source"}, ""),
        ("import", {"c/source": "https://example.org"}, NO_CONSENT),
        ("import", YES | {"c/source": "https://example.org", "c/final": "delete"}, DELETE_CHOSEN),
        ("import", YES | {"c/source": "https://example.org", "c/adult": "no"}, NO_CONSENT),
    ],
)
def test_who_may_land(origin, answers, reason):
    assert refusal(FORM, answers, origin) == reason


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (YES | {"c/source": [{"c/source": "a page"}, {"c/source": ""}]}, IMPORT_THROUGH_FORM_SERVER),
        (YES | {"c/basis": [{"c/basis": "public_source"}, {"c/basis": "spoken"}]}, IMPORT_THROUGH_FORM_SERVER),
        (YES | {"c/final": [{"c/final": "delete"}, {"c/final": "keep"}]}, DELETE_CHOSEN),
        (YES | {"c/adult": [{"c/adult": "yes"}, {"c/adult": "no"}]}, NO_CONSENT),
        ({"c/gate": [{"c/gate": "1"}, {"c/gate": "0"}]}, NO_CONSENT),
        ({"c/gate": [{"c/gate": "1"}, {"c/gate": "1"}]}, ""),
        ({"c/gate": [{"c/gate": ""}, {"c/gate": ""}]}, NO_CONSENT),
        (YES | {"c/final": [{"c/final/x": [{"c/final/x": "delete"}]}]}, DELETE_CHOSEN),
    ],
)
def test_an_element_that_is_sent_twice_is_no_way_around(answers, reason):
    assert refusal(FORM, answers, "server") == reason


def test_a_form_without_a_gate_asks_nobody():
    assert refusal(UNGATED, {"c/other": "x"}, "server") == ""
    assert refusal(UNGATED, {"c/source": "x"}, "server") == IMPORT_THROUGH_FORM_SERVER
