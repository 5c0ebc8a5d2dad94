"""Consumes jobs, calls the Bento over HTTP and commits the results."""
