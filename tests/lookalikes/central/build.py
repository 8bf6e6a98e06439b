"""XLSForm → XForm as Central's pyxform service does it, with its warnings and refusals."""

from __future__ import annotations

import io
import re
from typing import Any

from pyxform.errors import PyXFormError
from pyxform.xls2xform import convert

from .definition import Definition, read_definition
from .problems import Refused

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLS = "application/vnd.ms-excel"
_EXPRESSION = re.compile(r' (?:relevant|constraint|calculate|required|readonly)="([^"]*)"')
_UNREADABLE = (
    "Argument 'definition' was not recognized as a supported type. Must be one of: .xlsx, .xlsm, .xls, .md, .csv"
)


def build(workbook: bytes, content_type: str, fallback: str, *, ignore_warnings: bool) -> Definition:
    """The form of a workbook, or of an XForm when the content type is another.

    Raises:
        Refused: it is no form, or it has warnings that were not waved through.
    """
    if content_type.partition(";")[0] not in {XLSX, XLS}:
        return read_definition(workbook)
    if not workbook.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        raise _invalid(_UNREADABLE)
    warnings: list[str] = []
    kind = ".xlsx" if workbook.startswith(b"PK") else ".xls"
    try:
        made: Any = convert(xlsform=io.BytesIO(workbook), warnings=warnings, form_name="data", file_type=kind)
    except PyXFormError as error:
        raise _invalid(str(error)) from None
    definition = read_definition(_with_id(made.xform, fallback).encode())
    _check_expressions(made.xform)
    if warnings and not ignore_warnings:
        message = (
            "The Form is valid, but with warnings. Please check the warnings and if they are acceptable "
            "resubmit with ?ignoreWarnings=true"
        )
        raise Refused(400.16, message, {"warnings": {"xlsFormWarnings": list(warnings)}})
    return definition


def _with_id(xform: str, fallback: str) -> str:
    """pyxform names a form without an id `data`; Central uses the header."""
    return xform.replace('<data id="data"', f'<data id="{fallback}"', 1) if fallback else xform


def _check_expressions(xform: str) -> None:
    """ODK Validate stands behind the real service; here only its commonest finding."""
    for expression in _EXPRESSION.findall(xform):
        bare = re.sub(r"&quot;.*?&quot;|'[^']*'", "", expression)
        if bare.count("(") != bare.count(")"):
            raise _invalid("ODK Validate Errors:\n>> XForm is invalid.\n: Mismatched brackets or parentheses")


def _invalid(error: str) -> Refused:
    message = "The given XLSForm file was not valid. Please see the error details for more information."
    return Refused(400.15, message, {"error": error, "warnings": None})
