"""The catalogue: a Delta Lake table in the bucket with one row per revision of an asset.

Every writer calls `Catalogue.commit`; nothing else touches the table.
"""

from dam.catalogue.changes import Change, Committed, Outcome, Refused, Repeated, Stale
from dam.catalogue.row import Row
from dam.catalogue.table import Catalogue

__all__ = ["Catalogue", "Change", "Committed", "Outcome", "Refused", "Repeated", "Row", "Stale"]
