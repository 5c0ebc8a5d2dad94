"""The search index: a Lance table under `search/`, kept from the catalogue's change feed, disposable.

Maintenance keeps it (`keeper`), the gallery reads it (`reader`). Importing the two costs a second and 60 MB:
nothing but those processes may.
"""
