"""Pictures: decoding as a viewer would show them, thumbnails and placeholders.

Used by the Bento and the orchestrator alike, so that both see the same pixels.
"""
