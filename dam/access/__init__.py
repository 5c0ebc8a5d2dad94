"""Who may do what: tokens with scopes, kept hashed in the bucket. Services ask; `dam token` changes.

Imports no web framework and no store adapter, so that the Bento, which has no bucket, can use its tokens too.
"""
