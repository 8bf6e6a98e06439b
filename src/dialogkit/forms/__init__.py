"""Workbooks into forms: read, build, check, render, and keep every version."""
