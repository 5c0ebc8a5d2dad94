"""The words of the drawn world: every caption can be said, and said whole."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from transformers import AutoTokenizer

from bentos.modelsets import locate
from dam.drawing.nouns import NOUNS
from dam.drawing.scenes import distinct_held_out, draw_scenes
from demo_models.vocabulary import CONTEXT_LENGTH, make_tokenizer, pieces

if TYPE_CHECKING:
    from pathlib import Path

MOST_SAID = 20  # tokens: what `generate` adds to a caption by itself, the end included


@pytest.fixture
def tokenizer(tmp_path: Path) -> Any:
    return make_tokenizer(tmp_path)


def test_every_caption_comes_back(tokenizer: Any) -> None:
    """Captions are split into known pieces, and joined again to the same words."""
    captions = [scene.caption for scene in islice(draw_scenes(1, held_out=False), 3000)]
    captions += [scene.caption for scene in distinct_held_out(1, 1000)]
    tokens = tokenizer(captions).input_ids
    assert not any(tokenizer.unk_token_id in each for each in tokens)
    assert [
        text.replace(" ,", ",") for text in tokenizer.batch_decode(tokens, skip_special_tokens=True)
    ] == captions


def test_every_caption_fits(tokenizer: Any) -> None:
    """The longest caption there can be fits into CLIP's context and into what BLIP says at most."""
    longest = max((noun.counted(2) for noun in NOUNS), key=lambda words: len(tokenizer(words).input_ids))
    caption = f"{longest} left of {longest} on an orange gradient"
    tokens = len(tokenizer(caption).input_ids)  # with a beginning, which is not said, and an end
    assert tokens <= CONTEXT_LENGTH
    assert tokens - 1 <= MOST_SAID


def test_singular_and_plural_share_a_piece(tokenizer: Any) -> None:
    """A noun's singular and plural begin alike, and no two nouns are one and the same."""
    singles = [tokenizer.tokenize(noun.singular) for noun in NOUNS]
    for noun, single in zip(NOUNS, singles, strict=True):
        assert tokenizer.tokenize(noun.plural)[0] == single[0]
    assert len({tuple(single) for single in singles}) == len(NOUNS) >= 150


def test_committed_models_speak_it() -> None:
    """The committed models' tokenizers have exactly these pieces: no noun was changed after training."""
    located = locate("demo", None)
    for folder in (located.captioner, located.embedder):
        vocabulary = AutoTokenizer.from_pretrained(folder).get_vocab()
        assert sorted(vocabulary, key=vocabulary.__getitem__) == pieces()
