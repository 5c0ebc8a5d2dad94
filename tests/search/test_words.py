"""How texts become the words that are found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dam.search.words import index_words, keys_of, query_words, split_words


def test_a_query_finds_the_stem_without_accents_and_stop_words() -> None:
    """And names each word once."""
    assert query_words("The Boats, a boat at the Côte") == ["boat", "cote"]
    assert query_words("the of and") == []


def test_a_name_with_digits_is_found_whole_and_by_its_parts() -> None:
    """Cameras write IMG2041; people remember 2041."""
    assert set(keys_of("IMG2041")) == {"img2041", "img", "2041"}
    assert query_words("IMG2041") == ["img2041"]


def test_text_without_blanks_is_found_by_neighbouring_characters() -> None:
    """Chinese, Japanese and Korean."""
    assert query_words("東京") == ["東京"]
    assert "東京" in index_words(["夜の東京タワー"]).split(" ")


@given(st.text(max_size=200))
def test_every_word_of_a_text_finds_it(text: str) -> None:
    """What a query for a word looks for is among what the index keeps of the text it is from."""
    kept = set(index_words([text]).split(" "))
    for word in split_words(text):
        assert set(query_words(word)) <= kept


@given(st.lists(st.text(max_size=50), max_size=5))
def test_kept_words_hold_no_blank(texts: list[str]) -> None:
    """Lance parts them at blanks: none may stand inside one."""
    assert all(word == "".join(word.split()) for word in index_words(texts).split(" "))
