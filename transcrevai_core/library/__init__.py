"""All that is kept: the database, the files beside it, and every line of SQL."""
