"""Tests of the gallery's API, over HTTP."""
