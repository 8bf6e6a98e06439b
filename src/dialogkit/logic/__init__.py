"""The logic of forms: expressions as written in an XLSForm, as a typed tree and as SQL."""
