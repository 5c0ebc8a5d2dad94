"""Damage done to buckets, found, and mended."""
