"""Translation: read a sentence word by word into clauses, and write the other language's."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.solvers import Rows, Settings, one_hot


def solve(rows: Rows, task: Any) -> Rows:
    nouns, verbs, adjectives = task.nouns, task.verbs, task.adjectives
    lexicon = nouns + verbs + adjectives
    phrases: list[tuple[list[int], int]] = []
    done: list[int] = []  # verbs in their forms
    many, told = 0, None
    for symbol in (row.index(1) for row in rows if 1 in row):
        if symbol < nouns:
            kind = symbol % 2
            phrase = [nouns + 2 * verbs + 2 * adjectives + 2 * many + kind, symbol]
            if told is not None:
                phrase.append(nouns + 2 * verbs + kind * adjectives + told)
            phrases.append((phrase, many))
            told = None
        elif symbol < nouns + verbs:
            done.append(symbol + phrases[-1][1] * verbs)
        elif symbol < lexicon:
            told = symbol - nouns - verbs
        elif symbol < lexicon + 2:
            many = symbol - lexicon
    who, end = len(task.output_names) - 2, len(task.output_names) - 1
    answer = list(phrases[0][0])
    for clause in reversed(range(len(done))):
        answer += [*phrases[clause + 1][0], done[clause], *([who] if clause else [])]
    return one_hot([*answer, end], len(task.output_names))


def settings(draw: st.DrawFn) -> Settings:
    longest = draw(st.integers(1, 3))
    return {
        "nouns": draw(st.integers(2, 5)),
        "verbs": draw(st.integers(4, 6)),
        "adjectives": draw(st.integers(4, 6)),
        "combinations": draw(st.sampled_from(["known", "new"])),
        "min_length": draw(st.integers(1, longest)),
        "max_length": longest,
    }


def steps(length: int) -> int:
    return (5 * length + 3) + (5 * length + 3)
