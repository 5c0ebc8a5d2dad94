"""The object store: one contract for every adapter, and what is particular to the folder and to S3."""
