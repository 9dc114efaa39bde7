"""Compiled code on disk: found again, made anew when a source changes, safe among processes."""

from __future__ import annotations

import ast
import contextlib
import errno
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import pytest
import torch
from numba.core.caching import FunctionCache, IndexDataCacheFile

from ntmbench import compilation
from ntmbench.ntm.kernels import jit
from ntmbench.ntm.model import NTM

NTM_FOLDER = Path(jit.__file__).parent.parent
SOURCES = [
    *(path.relative_to(NTM_FOLDER).as_posix() for path in (NTM_FOLDER / "kernels").glob("*.py")),
    *jit.ELSEWHERE,
]


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_change_of_any_source_changes_the_digest(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "ntmbench" / "ntm"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(NTM_FOLDER.parent, folder.parent, ignore=ignored)
    before = jit.digest_of_sources(folder)
    assert before == jit.digest_of_sources(folder)
    with (folder / name).open("a") as file:
        file.write("# another\n")
    assert before != jit.digest_of_sources(folder)


def test_everything_that_is_compiled_in_is_in_the_digest() -> None:
    root = NTM_FOLDER.parent.parent
    imported = {
        (root / (node.module.replace(".", "/") + ".py")).resolve()
        for path in (NTM_FOLDER / "kernels").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None
        if any(alias.name.isupper() or alias.name == "at_address" for alias in node.names)
        if node.module.startswith("ntmbench.")
    }
    assert imported == {(NTM_FOLDER / name).resolve() for name in jit.ELSEWHERE}


def test_the_digest_is_part_of_the_key_of_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    from ntmbench.ntm.kernels.forward import run_forward

    NTM(3, 2, controller_size=5, memory_slots=4, word_size=3)(torch.rand(1, 1, 3))
    cache: Any = run_forward
    signature = cache.signatures[0]
    codegen = cache.targetctx.codegen()
    before = cache._cache._index_key(signature, codegen)
    assert jit._DIGEST in before
    monkeypatch.setattr(cache._cache, "_sources", "another")
    assert before != cache._cache._index_key(signature, codegen)


def in_a_new_process(script: str, folder: Path, **environment: str) -> str:
    """Run a script, which sets up no logging, and return what it writes to standard error."""
    file = folder / "script.py"
    file.write_text(script)
    done = subprocess.run(
        [sys.executable, file],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


def test_compiled_code_is_found_again_by_a_new_process(tmp_path: Path) -> None:
    script = (
        "import torch\nfrom ntmbench import NTM\nNTM(3, 2)(torch.rand(2, 1, 3)).sum().backward()\n"
    )
    for _ in range(2):
        errors = in_a_new_process(script, tmp_path)
    assert "Compiling" not in errors


def test_a_wait_for_the_compiler_is_announced_without_any_logging_set_up(tmp_path: Path) -> None:
    script = (
        "from ntmbench.ntm.kernels.jit import kernel\n"
        "@kernel\n"
        "def double(value): return 2 * value\n"
        "@kernel\n"
        "def triple(value): return 3 * value\n"
        "assert double(21) + triple(1) == 45\n"
    )
    errors = [in_a_new_process(script, tmp_path, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2)]
    assert errors == [
        "Compiling the fused engine: about 15 seconds, once on this machine.\n",
        "",
    ]


def kept(function: Callable[..., Any]) -> Any:
    dispatcher = numba.njit(function)
    compilation.keep_on_disk(dispatcher)
    return dispatcher


def test_processes_that_save_at_the_same_time_keep_each_others_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def double(value: float) -> float:
        return 2 * value

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    kinds = (numba.types.float32, numba.types.float64)
    compiled = [kept(double) for _ in kinds]
    results = [numba.njit(double) for _ in kinds]
    for dispatcher, kind in zip(results, kinds, strict=True):
        dispatcher.compile((kind,))
    both_have_read = threading.Barrier(2)
    read = IndexDataCacheFile._load_index

    def read_and_wait(file: IndexDataCacheFile) -> Any:
        index = read(file)
        with contextlib.suppress(threading.BrokenBarrierError):  # the other waits for its turn
            both_have_read.wait(timeout=0.3)
        return index

    # Each saves what the other does not know of, as two processes would.
    monkeypatch.setattr(IndexDataCacheFile, "_load_index", read_and_wait)
    savers = [
        threading.Thread(
            target=dispatcher._cache.save_overload,
            args=((kind,), result.overloads[(kind,)]),
        )
        for dispatcher, result, kind in zip(compiled, results, kinds, strict=True)
    ]
    for saver in savers:
        saver.start()
    for saver in savers:
        saver.join()
    monkeypatch.setattr(IndexDataCacheFile, "_load_index", read)
    reader = kept(double)
    for kind in kinds:
        found = reader._cache.load_overload((kind,), reader.targetctx)
        assert found is not None
        assert found.signature.args == (kind,)


def no_folder(*arguments: object) -> None:
    raise RuntimeError("cannot cache function: no locator available")


def full_disk(*arguments: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("where", "failure", "reason"),
    [
        ("__init__", no_folder, "no locator available"),
        ("save_overload", full_disk, "No space left"),
    ],
)
def test_compiled_code_that_can_not_be_kept_runs_all_the_same(
    where: str,
    failure: Callable[..., None],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def double(value: int) -> int:
        return 2 * value

    compilation._warn.cache_clear()
    monkeypatch.setattr(FunctionCache, where, failure)
    with caplog.at_level(logging.WARNING, logger="ntmbench"):
        assert jit.kernel(double)(21) == 42
    assert "each process compiles anew" in caplog.text
    assert reason in caplog.text
