"""Quality rules for survey work: duplicates, times, patterns, values, places (docs/quality.md)."""
