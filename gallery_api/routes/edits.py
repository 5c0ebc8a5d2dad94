"""Changes of assets: each makes a new revision, and any read after the answer shows it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from gallery_api.answers.asset import Asset
from gallery_api.answers.editing import AssetEdit, BatchAnswer, BatchEdit, RevertRequest
from gallery_api.routes.described import (
    BODY,
    CONFLICT,
    INVALID,
    NEEDS_MATCH,
    NOT_FOUND,
    UNAVAILABLE,
    AssetId,
    Here,
    IfMatch,
)

router = APIRouter(tags=["edits"], responses=NOT_FOUND | BODY | CONFLICT | INVALID | UNAVAILABLE)


@router.patch("/assets/{asset_id}", responses=NEEDS_MATCH, summary="Edit an asset")
async def edit_asset(
    gallery: Here, asset_id: AssetId, edit: AssetEdit, response: Response, if_match: IfMatch = None
) -> Asset:
    """Set the named fields. Of two edits of one revision one wins; the other gets 412 with `current`.

    An edit that changes nothing makes no revision.
    """
    return _tagged(response, await gallery.editor.edit(asset_id, if_match, edit.values()))


@router.post("/assets/{asset_id}/revert", responses=NEEDS_MATCH, summary="Go back to a revision")
async def revert_asset(
    gallery: Here, asset_id: AssetId, body: RevertRequest, response: Response, if_match: IfMatch = None
) -> Asset:
    """A new revision whose descriptive fields (those an edit can set, and the text) equal the old one's."""
    return _tagged(response, await gallery.editor.revert(asset_id, if_match, body.revision))


@router.delete("/assets/{asset_id}", summary="Delete an asset")
async def delete_asset(
    gallery: Here, asset_id: AssetId, response: Response, if_match: IfMatch = None
) -> Asset:
    """It leaves lists and searches, and can be restored until it is purged. Deleting twice is no error."""
    return _tagged(response, await gallery.editor.delete(asset_id, if_match))


@router.post("/assets/{asset_id}/restore", summary="Restore a deleted asset")
async def restore_asset(
    gallery: Here, asset_id: AssetId, response: Response, if_match: IfMatch = None
) -> Asset:
    """It is again what it was before it was deleted."""
    return _tagged(response, await gallery.editor.restore(asset_id, if_match))


@router.post("/assets/batch", summary="The same on many assets")
async def edit_assets(gallery: Here, body: BatchEdit) -> BatchAnswer:
    """Each asset's outcome is reported; one that cannot be changed does not hold the others back."""
    return await gallery.batches.apply(body)


def _tagged(response: Response, asset: Asset) -> Asset:
    response.headers["ETag"] = f'"{asset.revision}"'
    return asset
