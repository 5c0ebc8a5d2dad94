"""The gallery's pages: their units, their types, and the built pages in a real Chromium."""
