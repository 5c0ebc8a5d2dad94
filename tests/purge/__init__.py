"""Tests of purge: what was deleted goes for good, whatever happens in between."""
