"""Made-up submissions of any form: a walk through its logic as a phone would, and known ways to break the result."""
