"""Lists, days, one asset and its history."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from gallery_api.answers.asset import Asset, AssetPage, History, Timeline
from gallery_api.filters import Filters, PageQuery
from gallery_api.routes.described import INVALID, NOT_FOUND, UNAVAILABLE, AssetId, Here

router = APIRouter(tags=["assets"])


@router.get("/assets", responses=INVALID | UNAVAILABLE, summary="Assets, newest first")
async def list_assets(gallery: Here, query: Annotated[PageQuery, Query()]) -> AssetPage:
    """A page of the assets that pass all filters; without `status`, of the ready ones.

    Newest first, by id. A cursor names a place and not a number: assets that arrive meanwhile shift nothing.
    """
    return await gallery.browser.list_page(query)


@router.get("/timeline", responses=INVALID | UNAVAILABLE, summary="How many assets on which day")
async def show_timeline(gallery: Here, query: Annotated[Filters, Query()]) -> Timeline:
    """Days of arrival (UTC) with the assets that pass the filters; a day's assets: `GET /assets?day=`."""
    return await gallery.browser.count_days(query)


@router.get("/assets/{asset_id}", responses=NOT_FOUND | UNAVAILABLE, summary="One asset")
async def show_asset(gallery: Here, asset_id: AssetId, response: Response) -> Asset:
    """Its current row, whatever its status; `pending` where the original waits for its first row."""
    asset = await gallery.browser.find(asset_id)
    response.headers["ETag"] = f'"{asset.revision}"'
    return asset


@router.get("/assets/{asset_id}/history", responses=NOT_FOUND | UNAVAILABLE, summary="Its revisions")
async def show_asset_history(gallery: Here, asset_id: AssetId) -> History:
    """Every revision, newest first: who, when, and what changed, field by field."""
    return await gallery.browser.find_history(asset_id)
