"""Small servers of our own that answer as KoboToolbox and ODK Central do, for tests; proved against recordings."""
