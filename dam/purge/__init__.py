"""Purge: what was deleted long enough ago goes for good, in steps of which each may be the last.

`dam purge` calls `Purger`. Nothing else in this project removes an original that has a row.
"""
