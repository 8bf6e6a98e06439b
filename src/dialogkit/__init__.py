"""dialogkit: from a form on a phone to a finding that is comparable and safe to publish."""

__version__ = "0.1.0"
