"""The embedded OpenRosa server: receives submissions from phones and hands them to a pull."""
