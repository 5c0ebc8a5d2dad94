"""Tests of `dam adopt`."""
