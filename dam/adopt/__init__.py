"""Adopt: takes over a bucket of the original project, and changes nothing that is in it.

`dam adopt` calls `dam.adopt.adopter`; the snapshot's publisher and reconcile ask `dam.adopt.former` whether
that is still to be done. See `docs/adr/0020-adopt.md`.
"""
