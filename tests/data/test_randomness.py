"""RandomWords: its key fixes it for ever, and its distributions are as promised."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ntmbench.data.randomness import RandomWords, Stream, stable_id

NUMBERS = st.integers(0, 2**64 - 1)
# Numbers that a careless encoding confuses with one another, or with no number at all.
AWKWARD = st.sampled_from([0, 1, 2**32 - 1, 2**32, 2**32 + 1, 2**64 - 1])
KEYS = st.lists(NUMBERS | AWKWARD, max_size=5).map(tuple)


def test_words_never_change() -> None:
    """The same under any NumPy: if this fails, every data set and reference result is void."""
    words = RandomWords(Stream.TEST, stable_id("copy-1"), 0, 20).words(3)
    assert [hex(word) for word in words] == [
        "0x2101c942c1c02d25",
        "0x5c6e5e28b98d6245",
        "0x5b5f37447ed83b70",
    ]


def test_stable_id_never_changes() -> None:
    assert stable_id("copy-1") == 0x5BD7AA234526B35C


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.sampled_from(Stream), KEYS, st.sampled_from(Stream), KEYS)
def test_streams_are_equal_only_if_stream_and_key_are(
    stream: Stream, key: tuple[int, ...], other_stream: Stream, other_key: tuple[int, ...]
) -> None:
    words = RandomWords(stream, *key).words(2)
    others = RandomWords(other_stream, *other_key).words(2)
    assert np.array_equal(words, others) == ((stream, key) == (other_stream, other_key))


@pytest.mark.parametrize("pair", [((1,), (1, 0)), ((2**32,), (0, 1)), ((), (0,))])
def test_keys_of_different_shape_do_not_collide(
    pair: tuple[tuple[int, ...], tuple[int, ...]],
) -> None:
    first, second = (RandomWords(Stream.TEST, *key).words(2) for key in pair)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("number", [-1, 2**64])
def test_key_outside_64_bits_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=str(number)):
        RandomWords(Stream.TEST, number)


def test_global_state_is_neither_read_nor_changed() -> None:
    np.random.seed(1)
    before = np.random.get_state(legacy=False)
    first = RandomWords(Stream.TEST, 1).uniform(10)
    after = np.random.get_state(legacy=False)
    np.random.seed(2)
    assert np.array_equal(first, RandomWords(Stream.TEST, 1).uniform(10))
    assert np.array_equal(before["state"]["key"], after["state"]["key"])
    assert before["state"]["pos"] == after["state"]["pos"]


def test_bits_are_those_of_the_words_lowest_first() -> None:
    word, second = (int(word) for word in RandomWords(Stream.TEST, 3).words(2))
    bits = RandomWords(Stream.TEST, 3).bits(5, 14)  # 70 bits: one word and six bits
    combined = word | second << 64
    assert bits.ravel().tolist() == [combined >> place & 1 for place in range(70)]


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.integers(-(2**40), 2**40), st.integers(1, 2**32), NUMBERS)
def test_integers_are_the_scaled_upper_halves_of_the_words(low: int, width: int, key: int) -> None:
    high = low + width - 1
    integers = RandomWords(Stream.TEST, key).integers(low, high, 4, 2)
    words = RandomWords(Stream.TEST, key).words(8)
    assert integers.ravel().tolist() == [low + ((int(word) >> 32) * width >> 32) for word in words]
    assert integers.min() >= low
    assert integers.max() <= high


def test_integers_reach_both_ends_equally_often() -> None:
    counts = np.bincount(RandomWords(Stream.TEST, 4).integers(1, 20, 20_000))[1:]
    assert len(counts) == 20
    chi_square = ((counts - 1000) ** 2 / 1000).sum()
    assert chi_square < 43.8  # the 99.9th percentile for 19 degrees of freedom


def test_uniform_is_inside_the_open_interval() -> None:
    class Ends(RandomWords):
        def words(self, count: int) -> NDArray[np.uint64]:
            return np.array([0, 2**64 - 1], np.uint64)

    low, high = Ends(Stream.TEST).uniform(2)
    assert low == 2.0**-53
    assert high == 1 - 2.0**-53


def test_uniform_has_the_right_moments() -> None:
    uniforms = RandomWords(Stream.TEST, 5).uniform(100, 1000)
    assert uniforms.mean() == pytest.approx(1 / 2, abs=5 * np.sqrt(1 / 12 / 1e5))
    assert uniforms.var() == pytest.approx(1 / 12, abs=5 * np.sqrt(1 / 180 / 1e5))


def test_normal_numbers_have_the_normal_distribution() -> None:
    numbers = RandomWords(Stream.TEST, 6).normal(101, 99)
    assert numbers.shape == (101, 99)
    assert scipy.stats.kstest(numbers.ravel(), "norm").pvalue > 1e-3
    assert abs(np.corrcoef(numbers[:, :98:2].ravel(), numbers[:, 1::2].ravel())[0, 1]) < 0.06


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_any_number_of_normal_numbers(count: int) -> None:
    assert RandomWords(Stream.TEST, 6).normal(count).shape == (count,)
