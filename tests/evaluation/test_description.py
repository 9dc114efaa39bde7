"""What a task is told as, in a sentence."""

from __future__ import annotations

import inspect
import re

import pytest

from ntmbench.evaluation.description import sentence
from ntmbench.registry import make_task, task_class, task_names


def cited(name: str) -> set[str]:
    """The names of a task's sources: those before a year in brackets, and those in capitals."""
    text = inspect.getdoc(task_class(name)) or ""
    citations = re.findall(r"\(([^()]*\b(?:19|20)\d\d\b[^()]*)\)", text)
    names = {word for citation in citations for word in re.findall(r"\b[A-Z]\w+", citation)}
    return names | set(re.findall(r"\b[A-Z]{2,}\w*", text))


@pytest.mark.parametrize("name", task_names())
def test_the_sentence_names_no_source(name: str) -> None:
    told = sentence(make_task(name))
    _, *after_the_verb = re.findall(r"\w+", told)
    assert not cited(name) & set(after_the_verb)
    assert not re.search(r"\d{4}|et al|in kind|after\.$", told)
    assert told.endswith(".")
    assert told.count("(") == told.count(")")


def test_names_of_sources_are_found() -> None:
    assert {"Lake", "Baroni", "SCAN"} <= cited("commands")
    assert {"Hupkes", "PCFG", "SET", "COGS", "Kim", "Linzen"} <= cited("translation")
