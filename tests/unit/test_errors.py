"""Errors carry facts and exit codes; problems are values."""

from __future__ import annotations

import json

import pytest

from dialogkit import errors
from dialogkit.problem import Problem, has_errors

EXIT_CODES = {
    "DialogkitError": 1,
    "ConfigError": 3,
    "FormError": 4,
    "ServerError": 5,
    "ServerUnreachable": 5,
    "ServerRefused": 5,
    "NotOnServer": 5,
    "UnexpectedReply": 5,
    "BatchError": 6,
    "NormalizeError": 7,
    "RulesNotMet": 8,
    "WarehouseError": 9,
    "ReleaseRefused": 10,
}


def test_the_exit_codes_are_the_public_contract():
    found = {
        name: kind.exit_code
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.DialogkitError)
    }
    assert found == EXIT_CODES


@pytest.mark.parametrize("name", EXIT_CODES)
def test_an_error_says_where_what_and_what_to_do(name):
    behind = (Problem("FORM-001", "warning", "w", "m", "f"),)
    error = getattr(errors, name)("X-001", "here", "It is wrong.", "Correct it.", behind)
    assert str(error) == "error[X-001] here\n  It is wrong.\n  Correct it."
    assert error.problem == Problem("X-001", "error", "here", "It is wrong.", "Correct it.")
    assert error.problems == behind


def test_a_problem_is_a_value_that_goes_into_json():
    problem = Problem("RULE-021", "held", "visit, submission 1", "Too many.", "Correct it.")
    assert json.loads(json.dumps(problem.as_dict())) == {
        "code": "RULE-021",
        "severity": "held",
        "where": "visit, submission 1",
        "message": "Too many.",
        "fix": "Correct it.",
    }
    assert problem == Problem(**problem.as_dict())
    assert str(problem).startswith("held[RULE-021] visit, submission 1\n")


def test_only_errors_stop_a_step():
    severities = [Problem("A-001", severity, "", "", "") for severity in ("held", "warning", "note")]
    assert not has_errors(severities)
    assert has_errors([*severities, Problem("A-001", "error", "", "", "")])
    assert not has_errors([])
