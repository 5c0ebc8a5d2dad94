"""The catalogue: what is planned, how it is committed, and the table as others read it."""
