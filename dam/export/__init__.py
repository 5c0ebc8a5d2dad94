"""Export: originals with XMP and JSON beside them, in a folder that belongs to nobody's software.

`dam export` calls `Exporter`. It reads catalogue and bucket, and writes nothing to either.
"""
