"""The client for KoboToolbox."""
