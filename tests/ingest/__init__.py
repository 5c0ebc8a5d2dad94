"""Behaviour of the upload API, of content claims, type sniffing and bulk import."""
