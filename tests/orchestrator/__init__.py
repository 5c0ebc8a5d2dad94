"""Behaviour of the orchestrator, with a fake Bento over real HTTP and the real catalogue."""
