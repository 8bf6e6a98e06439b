"""Pages for people: the report and the lists of what is to be corrected, as HTML that asks no network for anything."""
