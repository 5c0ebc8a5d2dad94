"""Behaviour of the Bento: its models, batching, intake and the running service."""
