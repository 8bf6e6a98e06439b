"""The logic of forms: expressions as written in an XLSForm, as a typed tree, in SQL and in Python."""
