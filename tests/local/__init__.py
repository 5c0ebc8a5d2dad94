"""Tests of `dam up`, and of what it shares with `dam demo`."""
