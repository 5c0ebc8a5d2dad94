"""The gallery's API: browse, search, edit and watch the catalogue; serves the built gallery beside it."""
