"""The one way in which the server says no to a request: a status and a text that the phone shows."""

from __future__ import annotations


class Declined(Exception):  # noqa: N818 - named by what happened, as the errors of architecture.md section 6
    """The request is not done.

    Args:
        status: of the HTTP response.
        message: plain words for the person with the phone; never an answer, a key or a file name.
    """

    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(message)
