"""The catalogue in columns: what lists, days and counts are answered from, 55 bytes an asset.

NumPy arrays of codes and numbers, never one Python object for each asset. Filled from the table when the
service starts, and from its change feed afterwards.
"""
