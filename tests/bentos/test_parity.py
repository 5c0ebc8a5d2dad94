"""Our captions and vectors are the libraries' own, on the untrained tiny set and on the demo set."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import open_clip
import pytest
from PIL import Image
from safetensors.torch import save_file

from bentos.captioner import Captioner
from bentos.embedder import Embedder
from bentos.modelsets import locate
from bentos.tiny import write_set
from dam.pictures.decoding import decode
from tests.bentos.reference import (
    SAME,
    TEXTS,
    ReferenceCaptioner,
    ReferenceEmbedder,
    cosines,
    encode,
    make_pictures,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bentos.modelsets import LocatedSet

pytestmark = [
    # transformers' own `generate` says so where a model states no limit; ours is told the same limit.
    pytest.mark.filterwarnings("ignore:Using the model-agnostic default `max_length`:UserWarning"),
]
PICTURES = make_pictures()


@pytest.fixture(scope="module")
def tiny_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_set(folder / "tiny", "tiny")
    return folder


@pytest.fixture(scope="module", params=["tiny", "demo"])
def located(request: pytest.FixtureRequest, tiny_dir: Path) -> LocatedSet:
    return locate(request.param, tiny_dir if request.param == "tiny" else None)


@pytest.fixture(scope="module")
def captioner(located: LocatedSet) -> Captioner:
    return Captioner(located.captioner)


@pytest.fixture(scope="module")
def embedder(located: LocatedSet) -> Embedder:
    return Embedder(located.embedder)


@pytest.fixture(scope="module")
def true_captions(located: LocatedSet) -> list[str]:
    reference = ReferenceCaptioner(located.captioner)
    captions = [reference.caption(picture) for picture in PICTURES]
    assert len(set(captions)) > 1, "captions that do not depend on the picture would prove nothing"
    return captions


@pytest.fixture(scope="module")
def true_vectors(located: LocatedSet) -> list[list[float]]:
    reference = ReferenceEmbedder(located.embedder)
    return [reference.embed_image(picture) for picture in PICTURES]


@pytest.fixture(scope="module")
def true_text_vectors(located: LocatedSet) -> list[list[float]]:
    reference = ReferenceEmbedder(located.embedder)
    return [reference.embed_text(text) for text in TEXTS]


def test_lone_captions(captioner: Captioner, true_captions: list[str]) -> None:
    """A caption is what transformers' processor and greedy `generate` give, word for word."""
    assert [captioner.caption([captioner.prepare(picture)])[0] for picture in PICTURES] == true_captions


def test_captions_in_batches(captioner: Captioner, true_captions: list[str]) -> None:
    """Neighbours change nothing: neither a full batch nor its order, nor the same picture twice."""
    pixels = [captioner.prepare(picture) for picture in PICTURES]
    assert captioner.caption(pixels) == true_captions
    assert captioner.caption(pixels[::-1]) == true_captions[::-1]
    assert captioner.caption([pixels[0], pixels[1], pixels[0]]) == [true_captions[n] for n in (0, 1, 0)]


def test_lone_pictures(embedder: Embedder, true_vectors: list[list[float]]) -> None:
    """A picture's vector is open_clip's, and no other picture's."""
    ours = [embedder.embed_images([embedder.prepare_image(picture)])[0] for picture in PICTURES]
    assert_only_own(ours, true_vectors)


def test_pictures_in_batches(embedder: Embedder, true_vectors: list[list[float]]) -> None:
    """Neighbours change nothing."""
    pixels = [embedder.prepare_image(picture) for picture in PICTURES]
    assert_only_own(embedder.embed_images(pixels), true_vectors)
    assert_only_own(embedder.embed_images(pixels[::-1]), true_vectors[::-1])


def test_lone_texts(embedder: Embedder, true_text_vectors: list[list[float]]) -> None:
    """A text's vector is open_clip's although its padding was never computed."""
    ours = [embedder.embed_texts([embedder.prepare_text(text)])[0] for text in TEXTS]
    assert_own(ours, true_text_vectors)


def test_texts_in_batches(embedder: Embedder, true_text_vectors: list[list[float]]) -> None:
    """Short beside long, each keeps its own vector."""
    tokens = [embedder.prepare_text(text) for text in TEXTS]
    assert_own(embedder.embed_texts(tokens), true_text_vectors)
    assert_own(embedder.embed_texts(tokens[::-1]), true_text_vectors[::-1])


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "BMP"])
def test_from_files(captioner: Captioner, embedder: Embedder, located: LocatedSet, image_format: str) -> None:
    """From a file's bytes, through our decoding, the answers are what the libraries make of that file."""
    data = encode(PICTURES[0], image_format)
    ours = decode(data)
    with Image.open(io.BytesIO(data)) as theirs:
        caption = ReferenceCaptioner(located.captioner).caption(theirs)
        vector = ReferenceEmbedder(located.embedder).embed_image(theirs)
    assert captioner.caption([captioner.prepare(ours)]) == [caption]
    assert_own(embedder.embed_images([embedder.prepare_image(ours)]), [vector])


def test_limit_of_the_model(tiny_dir: Path, tmp_path: Path) -> None:
    """A caption's length is bounded as the model's own files say, where they do."""
    folder = tmp_path / "blip"
    folder.mkdir()
    for file in (tiny_dir / "tiny" / "blip").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["max_new_tokens"] = 3
    (folder / "config.json").write_text(json.dumps(config))
    ours, reference = Captioner(folder), ReferenceCaptioner(folder)
    pixels = [ours.prepare(picture) for picture in PICTURES]
    captions = ours.caption(pixels)
    assert captions == [reference.caption(picture) for picture in PICTURES]
    unlimited = Captioner(tiny_dir / "tiny" / "blip").caption(pixels)
    assert max(len(caption.split()) for caption in captions) <= 3
    assert max(len(caption.split()) for caption in unlimited) > 3


def test_other_text_tower(tmp_path: Path) -> None:
    """A CLIP whose text tower is a module of its own is called as open_clip calls it."""
    shape: dict[str, Any] = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    }
    save_file(open_clip.CustomTextCLIP(**shape).state_dict(), tmp_path / "open_clip_model.safetensors")
    config = {"model_cfg": shape | {"custom_text": True}, "preprocess_cfg": {}}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    embedder, reference = Embedder(tmp_path), ReferenceEmbedder(tmp_path)
    ours = embedder.embed_texts([embedder.prepare_text(text) for text in TEXTS])
    assert_own(ours, [reference.embed_text(text) for text in TEXTS])


def assert_own(ours: list[list[float]], theirs: list[list[float]]) -> None:
    """Each of ours has length 1 and is its own of theirs."""
    assert np.linalg.norm(ours, axis=1) == pytest.approx(1, abs=1e-6)
    assert np.diag(cosines(ours, theirs)).min() >= SAME


def assert_only_own(ours: list[list[float]], theirs: list[list[float]]) -> None:
    """And the pictures are so far apart that another's would have been noticed."""
    assert_own(ours, theirs)
    others = cosines(ours, theirs)[~np.eye(len(ours), dtype=bool)]
    assert others.max() < SAME
