"""Counts of the catalogue, and the models in use."""

from __future__ import annotations

from fastapi import APIRouter

from gallery_api.answers.operations import Models, Stats
from gallery_api.routes.described import UNAVAILABLE, Here

router = APIRouter(tags=["figures"])


@router.get("/stats", responses=UNAVAILABLE, summary="Counts, versions, the index")
async def show_stats(gallery: Here) -> Stats:
    """The whole catalogue in numbers, as of now."""
    return await gallery.figures.count()


@router.get("/models", summary="The models in use")
async def show_models(gallery: Here) -> Models:
    """What the Bento says of its model set, with its notice on what to expect of it."""
    return await gallery.figures.show_models()
