"""Tests of `dam status`."""
