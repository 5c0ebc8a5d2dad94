"""Tests of export: everything leaves, whole, under its own name."""
