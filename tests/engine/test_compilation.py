"""Compiled code on disk: reused, compiled again when a source changes, safe among processes."""

from __future__ import annotations

import contextlib
import errno
import json
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

from ntmbench.engine import compilation, jit, optimizer_update, sources
from ntmbench.engine.dnc.kernels import backward as dnc_backward
from ntmbench.engine.dnc.kernels import forward as dnc_forward
from ntmbench.engine.dnc.kernels import gradients as dnc_gradients
from ntmbench.engine.dnc.kernels import packing as dnc_packing
from ntmbench.engine.linear_state.kernels import backward as linear_backward
from ntmbench.engine.linear_state.kernels import forward as linear_forward
from ntmbench.engine.soft_memory.kernels import gradients as soft_gradients
from ntmbench.engine.soft_memory.kernels import packing as soft_packing
from ntmbench.engine.soft_memory.kernels import stack_passes, tape_passes
from ntmbench.ntm.kernels import backward, forward, gradients, packing
from ntmbench.ntm.model import NTM
from ntmbench.registry import engines_of

PACKAGE = Path(sources.__file__).parents[1]
KERNELS = [
    forward.run_forward,
    backward.run_backward,
    gradients.weight_gradients,
    dnc_forward.run_forward,
    dnc_backward.run_backward,
    dnc_gradients.weight_gradients,
    dnc_packing.pack_forward,
    dnc_packing.pack_backward,
    linear_forward.run_forward,
    linear_backward.run_backward,
    stack_passes.run_forward,
    stack_passes.run_backward,
    tape_passes.run_forward,
    tape_passes.run_backward,
    soft_gradients.weight_gradients,
    soft_packing.pack_forward,
    soft_packing.pack_backward,
    packing.pack_forward,
    packing.pack_backward,
    optimizer_update.step_rmsprop,
    optimizer_update.step_adam,
    optimizer_update.update_average,
]
each_kernel = pytest.mark.parametrize(
    "kernel", KERNELS, ids=lambda kernel: f"{kernel.py_func.__module__}.{kernel.__name__}"
)


def compiled_into(kernel: Any) -> set[Path]:
    """The files of all functions that a kernel calls, directly or through others."""
    left, seen = [kernel], set()
    while left:
        found = left.pop()
        function = getattr(found, "py_func", None) or getattr(found, "_defn", None)
        if function is None or function in seen:
            continue
        seen.add(function)
        left += [function.__globals__.get(name) for name in function.__code__.co_names]
    return {Path(function.__code__.co_filename) for function in seen}


@each_kernel
def test_everything_that_is_compiled_in_is_in_the_digest(kernel: Any) -> None:
    counted = set(sources.sources_of(kernel.py_func.__module__).values())
    assert compiled_into(kernel) <= counted
    assert Path(kernel.py_func.__code__.co_filename) in counted


@each_kernel
def test_nothing_beside_kernels_toolkit_and_their_constants_is_in_the_digest(kernel: Any) -> None:
    counted = sources.sources_of(kernel.py_func.__module__)
    beside = {
        name
        for name in counted
        if not name.startswith(("ntmbench.engine.", "ntmbench.ntm.kernels."))
    }
    assert beside <= {"ntmbench.ntm.limits"}
    assert "ntmbench.engine.contract" not in counted


#: Prints, for each module, the files whose change changes the module's digest.
CHANGES = """
import json, sys
from pathlib import Path
from ntmbench.engine import sources

root, modules = Path(sources.__file__).parents[1], sys.argv[1:]

def digests():
    sources._source.cache_clear()
    return {module: sources.digest_of(module) for module in modules}

before, found = digests(), {module: [] for module in modules}
assert before == digests()
for path in sorted(root.rglob("*.py")):
    content = path.read_text()
    path.write_text(content + "# another\\n")
    for module, digest in digests().items():
        if digest != before[module]:
            found[module].append(path.relative_to(root).as_posix())
    path.write_text(content)
print(json.dumps(found))
"""


@pytest.mark.slow
def test_a_digest_changes_with_what_is_compiled_in_and_with_nothing_else(tmp_path: Path) -> None:
    """A copy of the package, in which every file is changed in turn, and another model's kernel."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "ntmbench", ignore=ignored)
    other = tmp_path / "ntmbench" / "other"
    other.mkdir()
    (other / "__init__.py").touch()
    (other / "step.py").write_text("from ntmbench.engine.softmax import softmax\n")
    modules = ["ntmbench.ntm.kernels.forward", "ntmbench.other.step"]
    done = subprocess.run(
        [sys.executable, "-c", CHANGES, *modules],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    ntm, another = (set(json.loads(done.stdout)[module]) for module in modules)
    toolkit = {
        f"engine/{name}.py"
        for name in (
            "compilation", "jit", "load_store", "processor", "simd", "softmax", "sources",
            "vector_ir", "vectormath",
        )
    }  # fmt: skip
    assert another == {"other/step.py", *toolkit}
    own = {"announced", "forward", "heads", "layout", "memory", "weightings"}
    assert ntm == {
        *toolkit,
        *(f"engine/{name}.py" for name in ("addresses", "denormals", "layers", "matmul", "places")),
        "engine/rows.py",
        "ntm/limits.py",
        *(f"ntm/kernels/{name}.py" for name in own),
    }


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("from . import neighbour", True),
        ("from .neighbour import value", True),
        ("import apart.neighbour", True),
        ("from apart import neighbour as other", True),
        ("try:\n    from .neighbour import value\nexcept ImportError:\n    value = 2", True),
        ("class Holder:\n    from .neighbour import value", True),
        ("def later():\n    from .neighbour import value", False),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import neighbour", False),
        ("import ast, numba", False),
        (
            "try:\n    from .nothing.neighbour import value\nexcept ImportError:\n    value = 2",
            False,
        ),
    ],
)
def test_imports_that_count(
    line: str, counts: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "apart"
    folder.mkdir()
    for name, content in (("__init__", ""), ("neighbour", "value = 1\n"), ("user", line)):
        (folder / f"{name}.py").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "apart", raising=False)
    found = sources.sources_of("apart.user")
    monkeypatch.delitem(sys.modules, "apart", raising=False)
    assert ("apart.neighbour" in found) is counts
    assert found["apart.user"] == folder / "user.py"
    assert set(found) <= {"apart", "apart.neighbour", "apart.user"}


def test_a_digest_of_no_module() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"no module 'ntmbench\.nothing'"):
        sources.digest_of("ntmbench.nothing")


def test_engines_have_digests_of_their_own() -> None:
    fused, eager = (engine.digest() for engine in engines_of("ntm"))
    assert fused == engines_of("ntm")[0].digest()
    assert fused != eager


def test_the_digest_is_part_of_the_key_of_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    NTM(3, 2, controller_size=5, memory_slots=4, word_size=3)(torch.rand(1, 1, 3))
    cache: Any = forward.run_forward
    signature = cache.signatures[0]
    codegen = cache.targetctx.codegen()
    before = cache._cache._index_key(signature, codegen)
    assert sources.digest_of("ntmbench.ntm.kernels.forward") in before
    monkeypatch.setattr(cache._cache, "_sources", "another")
    assert before != cache._cache._index_key(signature, codegen)


def test_what_no_file_holds_is_compiled_and_not_kept() -> None:
    held: dict[str, Any] = {"__name__": "ntmbench.nowhere"}
    exec("def double(value): return 2 * value", held)
    kernel: Any = jit.kernel("nothing", 0)(held["double"])
    assert kernel(21) == 42
    assert not kernel.stats.cache_path


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


@pytest.mark.slow
def test_compiled_code_is_found_again_by_a_new_process(tmp_path: Path) -> None:
    script = (
        "import torch\nfrom ntmbench import NTM\nNTM(3, 2)(torch.rand(2, 1, 3)).sum().backward()\n"
    )
    for _ in range(2):
        errors = in_a_new_process(script, tmp_path)
    assert "Compiling" not in errors


def test_a_wait_for_the_compiler_is_announced_without_any_logging_set_up(tmp_path: Path) -> None:
    script = (
        "from ntmbench.ntm.kernels.announced import ntm_kernel\n"
        "@ntm_kernel\n"
        "def double(value): return 2 * value\n"
        "@ntm_kernel\n"
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

    # Each saves something that the other does not know, as two processes would.
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
def test_compiled_code_that_cannot_be_kept_runs_all_the_same(
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
        assert jit.kernel("it", 0)(double)(21) == 42
    assert "each process compiles anew" in caplog.text
    assert reason in caplog.text
