"""Rules over the staged tables of one batch: from the form, from `validations/*.toml`, run by Great Expectations."""
