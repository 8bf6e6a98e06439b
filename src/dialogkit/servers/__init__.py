"""Clients of form servers."""
