"""The lock, the audit and the list of parts."""
