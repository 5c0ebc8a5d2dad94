"""The drawn world: scenes, captions, the held-out split, and the sample pictures."""
