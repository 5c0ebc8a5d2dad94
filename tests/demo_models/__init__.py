"""Behaviour of the demo models' training: pictures, words, learning, scores, and what is committed."""
