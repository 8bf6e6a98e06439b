"""What ODK Central says when it refuses: status, number, message and details of each refusal."""

from __future__ import annotations

from typing import Any


class Refused(Exception):  # noqa: N818 - it is an answer, not a fault of the look-alike
    """A request that is refused. `code` is Central's own number, whose whole part is the status."""

    def __init__(self, code: float | None, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = int(code) if code is not None else 500
        self.message = message
        self.details = details

    def to_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {"message": self.message}
        if self.code is not None:
            said["code"] = self.code
        if self.details is not None:
            said["details"] = self.details
        return said


def unauthorised() -> Refused:
    return Refused(401.2, "Could not authenticate with the provided credentials.")


def forbidden() -> Refused:
    return Refused(403.1, "The authentication you provided does not have rights to perform that action.")


def not_found() -> Refused:
    return Refused(404.1, "Could not find the resource you were looking for.")


def internal() -> Refused:
    return Refused(None, "Internal Server Error")


def missing(field: str) -> Refused:
    return Refused(400.2, f"Required parameter {field} missing.", {"field": field})


def unexpected(field: str, value: Any, reason: str) -> Refused:
    said = {"field": field, "value": value, "reason": reason}
    return Refused(400.8, f"Unexpected {field} value {value}; {reason}", said)


def exists(table: str, **values: Any) -> Refused:
    fields, texts = list(values), [str(value) for value in values.values()]
    message = f"A resource already exists with {','.join(fields)} value(s) of {','.join(texts)}."
    return Refused(409.3, message, {"fields": fields, "values": texts, "table": table})


def unsupported(feature: str) -> Refused:
    return Refused(501.1, f"The requested feature {feature} is not supported by this server.", {"feature": feature})


def outdated(deprecated: str) -> Refused:
    message = (
        f"You tried to update a submission, but the copy you were editing ({deprecated}) is now out of date. "
        "Please get the new version that has been submitted, and make your edits again."
    )
    return Refused(409.9, message, {"deprecatedId": deprecated})


def no_such_original(deprecated: str) -> Refused:
    message = f"You tried to update an existing submission, but we can't find that submission to update ({deprecated})"
    return Refused(404.5, message, {"deprecatedId": deprecated})


def undecryptable() -> Refused:
    return Refused(400.12, "Could not perform decryption. Double check your passphrase and your data and try again.")
