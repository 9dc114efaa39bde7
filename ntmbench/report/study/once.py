"""What is computed of a study once, however many sections ask for it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from ntmbench.report.study.study import Study

T = TypeVar("T")


def once(compute: Callable[[Study], T]) -> Callable[[Study], T]:
    """Decorator of a function of a study: the result is kept as long as the study is."""
    known: weakref.WeakKeyDictionary[Study, T] = weakref.WeakKeyDictionary()

    @wraps(compute)
    def computed(study: Study) -> T:
        if study not in known:
            known[study] = compute(study)
        return known[study]

    return computed
