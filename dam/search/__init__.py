"""The search index: a Lance table under `search/`, kept from the catalogue's change feed, disposable.

Maintenance keeps it (`keeper`), the gallery reads it (`reader`). Importing the two costs a second and 50 MB:
nothing but those processes may.
"""

import os

from dam.search import hollow

hollow.install()
# Its warnings would stand among our lines of JSON, and tell of nothing that our own events do not.
os.environ.setdefault("LANCE_LOG", "error")
