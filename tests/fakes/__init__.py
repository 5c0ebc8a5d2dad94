"""In-memory stand-ins for the two ports, for tests that are not about an adapter."""
