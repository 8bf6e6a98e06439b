"""ODK Central: pulling submissions, placing forms, reviewing."""
