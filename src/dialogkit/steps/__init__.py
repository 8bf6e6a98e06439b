"""One short file for each thing a person does; only here do the stages meet."""
