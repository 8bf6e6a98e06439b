"""`mostly`: a share of the judged rows must pass; those within it are told all the same."""

from __future__ import annotations

import pytest

from dialogkit.validate.threshold import acts, within


@pytest.mark.parametrize(
    ("violations", "judged", "mostly", "expected"),
    [(0, 100, 1.0, True), (1, 100, 1.0, False), (5, 100, 0.95, True), (6, 100, 0.95, False), (0, 0, 1.0, True)],
)
def test_a_rule_holds_mostly_while_enough_rows_pass(violations: int, judged: int, mostly: float, expected: bool):
    assert within(violations, judged, mostly) is expected


@pytest.mark.parametrize(
    ("action", "violations", "mostly", "expected"),
    [
        ("hold", 5, 0.95, "note"),
        ("hold", 6, 0.95, "hold"),
        ("hold", 1, 1.0, "hold"),
        ("hold", 0, 0.5, "hold"),
        ("note", 6, 0.95, "note"),
        ("note", 5, 0.95, "note"),
    ],
)
def test_a_rule_only_tells_of_the_rows_that_it_allows(action, violations: int, mostly: float, expected: str):
    assert acts(action, violations, 100, mostly) == expected
