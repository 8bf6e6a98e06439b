"""Bring submissions from servers into batch folders."""
