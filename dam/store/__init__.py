"""The object-store port and its two adapters: a folder, and any S3-compatible bucket.

`open_store` picks the adapter by `store_url`. Callers use `ObjectStore` alone.
"""

from dam.store.opening import open_store
from dam.store.port import ObjectInfo, ObjectStore, StoredObject

__all__ = ["ObjectInfo", "ObjectStore", "StoredObject", "open_store"]
