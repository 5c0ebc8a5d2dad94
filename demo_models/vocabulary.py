"""The words of the drawn world as a WordPiece tokenizer that both models share.

Called when a model is made. Nouns are split so that singular and plural share their first piece
(`fox` + `##es`), so that what one teaches the other knows.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from dam.drawing.nouns import NOUNS, NUMBER_WORDS
from dam.drawing.scenes import COLOURS, STYLES

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import BertTokenizer

# [SEP] ends every text of both models. [DEC] begins a caption, as in the real BLIP.
SPECIAL: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]")
PAD: Final = SPECIAL.index("[PAD]")
SEP: Final = SPECIAL.index("[SEP]")
DEC: Final = SPECIAL.index("[DEC]")
CONTEXT_LENGTH: Final = 24
_GRAMMAR: Final = ("a", "an", "and", "on", "left", "of", "above", ",")


def pieces() -> list[str]:
    """All pieces, in the order of their numbers."""
    found = dict.fromkeys((*SPECIAL, *_GRAMMAR, *NUMBER_WORDS.values(), *COLOURS, *STYLES))
    for noun in NOUNS:
        stem = os.path.commonprefix([noun.singular, noun.plural])  # noqa: RUF071 - of words, not of paths
        endings = (f"##{word[len(stem) :]}" for word in (noun.singular, noun.plural) if word != stem)
        found.update(dict.fromkeys((stem, *endings)))
    return list(found)


def make_tokenizer(folder: Path) -> BertTokenizer:
    """The tokenizer, whose vocabulary file is left in `folder`."""
    from transformers import BertTokenizer  # noqa: PLC0415 - slow to import, and the process that draws needs none

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(pieces()) + "\n", encoding="utf-8")
    tokenizer = BertTokenizer(vocab=str(vocabulary), model_max_length=CONTEXT_LENGTH)
    tokenizer.add_special_tokens({"bos_token": "[DEC]"})
    return tokenizer
