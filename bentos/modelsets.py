"""Model sets: which captioner and which embedder, at which revisions, and the folders they are in.

Called by `engine` before it loads, and by the scripts that write a set. It never falls back from one set to
another, and from a folder never to a download.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, Field, ValidationError

from dam.errors import SettingsError

DESCRIPTION: Final = "model_set.json"
CAPTIONER_FOLDER: Final = "blip"
EMBEDDER_FOLDER: Final = "clip"
DEMO_FOLDER: Final = Path(__file__).parent / "demo_models"

_BLIP_FILES: Final = ("*.json", "*.txt", "*.safetensors", "pytorch_model.bin")
_CLIP_FILES: Final = ("*.json", "*.txt", "open_clip_model.safetensors")


class ModelInfo(BaseModel):
    """One model; `model@revision` is what the catalogue calls it."""

    model: str = Field(min_length=1)
    revision: str = Field(min_length=1)


class EmbedderInfo(ModelInfo):
    """A model that makes vectors of `dim` numbers."""

    dim: int = Field(gt=0)


class ModelSet(BaseModel):
    """What `model_set.json` holds. `notice` tells people what to expect of these models."""

    name: str = Field(min_length=1)
    caption: ModelInfo
    embedding: EmbedderInfo
    notice: str = ""


@dataclass(frozen=True, slots=True)
class LocatedSet:
    """A model set whose files are on this machine."""

    description: ModelSet
    captioner: Path
    embedder: Path


HUB_SETS: Final = {
    "base": ModelSet(
        name="base",
        caption=ModelInfo(
            model="Salesforce/blip-image-captioning-base", revision="82a37760796d32b1411fe092ab5d4e227313294b"
        ),
        embedding=EmbedderInfo(
            model="laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
            revision="1a25a446712ba5ee05982a381eed697ef9b435cf",
            dim=512,
        ),
    ),
}


def locate(name: str, models_dir: Path | None) -> LocatedSet:
    """Find the set's files, from the hub if need be. Raises SettingsError with what to do."""
    if models_dir is not None:
        return _in_folder(name, models_dir / name)
    if name == "demo":
        return _in_folder(name, DEMO_FOLDER)
    if name in HUB_SETS:
        return _from_hub(HUB_SETS[name])
    raise SettingsError(
        f"There is no model set {name!r} (DAM_MODEL_SET). Known are demo and {', '.join(HUB_SETS)}; "
        "any other is a folder of that name in DAM_MODELS_DIR."
    )


def write_description(folder: Path, description: ModelSet) -> None:
    """Complete a set's folder, once its models are in it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DESCRIPTION).write_text(description.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _in_folder(name: str, folder: Path) -> LocatedSet:
    """A set in a folder. One of ours needs no description: the folder holds what the hub would give."""
    description = HUB_SETS.get(name)
    path = folder / DESCRIPTION
    if path.is_file():
        try:
            description = ModelSet.model_validate_json(path.read_bytes())
        except (ValidationError, OSError) as error:
            raise SettingsError(f"{path} does not describe a model set: {error}") from error
    if description is None:
        raise SettingsError(
            f"The model set {name!r} cannot be loaded: there is no {path}. "
            "Write a set there, or set DAM_MODELS_DIR and DAM_MODEL_SET to one that exists."
        )
    for part in (CAPTIONER_FOLDER, EMBEDDER_FOLDER):
        if not (folder / part).is_dir():
            raise SettingsError(f"The model set {name!r} is incomplete: there is no folder {folder / part}.")
    return LocatedSet(description, folder / CAPTIONER_FOLDER, folder / EMBEDDER_FOLDER)


def _from_hub(description: ModelSet) -> LocatedSet:
    """The pinned revisions, from the hub's cache on this machine or from the hub."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - slow to import, and most sets need none

    folders = []
    for info, files in ((description.caption, _BLIP_FILES), (description.embedding, _CLIP_FILES)):
        try:
            path = snapshot_download(info.model, revision=info.revision, allow_patterns=list(files))
        except Exception as error:  # the hub's client raises its own, httpx's and OSError
            raise SettingsError(
                f"The model set {description.name!r} cannot be loaded: {info.model} at {info.revision} is "
                f"not in the cache and cannot be downloaded ({error}). Put it into a folder and name that in "
                "DAM_MODELS_DIR, or use DAM_MODEL_SET=demo."
            ) from error
        folders.append(Path(path))
    return LocatedSet(description, *folders)
