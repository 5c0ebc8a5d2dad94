"""Golden captions and searches of the real `base` set: `make test-base`; the default run does not collect it.

The weights come from DAM_MODELS_DIR or the hub's cache, or are downloaded (2 GB). The golden picture and its
caption are those of transformers' own test of these weights; the picture comes from the hub, or from
DAM_GOLDEN_PICTURE.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bentos.captioner import Captioner
from bentos.embedder import Embedder
from bentos.modelsets import HUB_SETS, locate
from bentos.settings import BentoSettings
from dam.drawing.files import SAMPLES, SAMPLES_SEED
from dam.drawing.scenes import distinct_held_out
from dam.errors import SettingsError
from dam.pictures.decoding import decode
from tests.bentos.reference import SAME, ReferenceCaptioner, ReferenceEmbedder, cosines

if TYPE_CHECKING:
    from PIL.Image import Image

    from bentos.modelsets import LocatedSet

pytestmark = [
    pytest.mark.base_weights,
    pytest.mark.filterwarnings("ignore:Using the model-agnostic default `max_length`:UserWarning"),
]
SAMPLES_FOLDER = Path(__file__).parents[2] / "samples"
GOLDEN_REPOSITORY = "hf-internal-testing/blip-test-image"
GOLDEN_CAPTION = "a woman sitting on the beach with her dog"
GOLDEN_SEARCHES = (
    "a woman with her dog on the beach",
    "a photograph of a dog by the sea",
    "a person on sand",
)


@pytest.fixture(scope="session")
def base() -> LocatedSet:
    try:
        located = locate("base", BentoSettings().models_dir)
    except SettingsError as error:
        pytest.exit(f"There is nothing to test. {error}", returncode=1)
    assert located.description == HUB_SETS["base"]
    return located


@pytest.fixture(scope="session")
def captioner(base: LocatedSet) -> Captioner:
    return Captioner(base.captioner)


@pytest.fixture(scope="session")
def embedder(base: LocatedSet) -> Embedder:
    return Embedder(base.embedder)


@pytest.fixture(scope="session")
def golden(base: LocatedSet) -> Image:
    """A woman and her dog at the beach. Needs `base`: without weights, that is the error to see."""
    assert base
    if "DAM_GOLDEN_PICTURE" in os.environ:
        return decode(Path(os.environ["DAM_GOLDEN_PICTURE"]))
    from huggingface_hub import hf_hub_download  # noqa: PLC0415 - slow, and not always needed

    try:
        return decode(Path(hf_hub_download(GOLDEN_REPOSITORY, "demo.jpg")))
    except OSError as error:
        pytest.fail(
            f"The golden picture, demo.jpg of {GOLDEN_REPOSITORY}, cannot be had from the hub: {error} "
            "Name a copy in DAM_GOLDEN_PICTURE.",
            pytrace=False,
        )


@pytest.fixture(scope="session")
def samples(embedder: Embedder) -> dict[str, list[float]]:
    """The vectors of the samples that show one object, by its noun."""
    vectors = {}
    for number, scene in enumerate(distinct_held_out(SAMPLES_SEED, SAMPLES), start=1):
        if len(scene.placed) == 1:
            [path] = SAMPLES_FOLDER.glob(f"drawn-{number:03}.*")
            pixels = embedder.prepare_image(decode(path))
            vectors[scene.groups[0].noun.singular] = embedder.embed_images([pixels])[0]
    return vectors


def test_golden_caption(captioner: Captioner, golden: Image) -> None:
    """The caption that these weights are known for."""
    assert captioner.caption([captioner.prepare(golden)]) == [GOLDEN_CAPTION]


def test_golden_searches(embedder: Embedder, golden: Image, samples: dict[str, list[float]]) -> None:
    """Among drawn pictures, what describes the photograph finds it."""
    vectors = [*samples.values(), embedder.embed_images([embedder.prepare_image(golden)])[0]]
    texts = embedder.embed_texts([embedder.prepare_text(text) for text in GOLDEN_SEARCHES])
    found = cosines(texts, vectors).argmax(axis=1)
    assert list(found) == [len(samples)] * len(GOLDEN_SEARCHES)


def test_search_among_samples(embedder: Embedder, samples: dict[str, list[float]]) -> None:
    """Nouns find their emoji: most of them among the first three."""
    texts = embedder.embed_texts([embedder.prepare_text(f"an emoji of a {noun}") for noun in samples])
    likeness = cosines(texts, list(samples.values()))
    ranks = (likeness > np.diag(likeness)[:, None]).sum(axis=1)
    assert np.mean(ranks < 3) > 0.5


def test_parity(base: LocatedSet, captioner: Captioner, embedder: Embedder) -> None:
    """On these weights too, captions and vectors are the libraries' own."""
    pictures = [decode(path) for path in sorted(SAMPLES_FOLDER.glob("drawn-00[1-4].*"))]
    theirs = ReferenceCaptioner(base.captioner)
    captions = captioner.caption([captioner.prepare(picture) for picture in pictures])
    assert captions == [theirs.caption(picture) for picture in pictures]
    reference = ReferenceEmbedder(base.embedder)
    vectors = embedder.embed_images([embedder.prepare_image(picture) for picture in pictures])
    truth = [reference.embed_image(picture) for picture in pictures]
    assert np.diag(cosines(vectors, truth)).min() >= SAME
