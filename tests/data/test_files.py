"""Files that are whole or absent, and checkpoints that are whole or refused."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import IO, Any

import pytest
import torch

from ntmbench.data.files import SUFFIX, remove_leftovers, write_atomically, write_text
from ntmbench.training.checkpoint import FORMAT, CheckpointError, load_checkpoint, save_checkpoint

STATE: dict[str, Any] = {
    "step": 3,
    "loss": 0.1,
    "diverged": False,
    "nothing": None,
    "name": "copy",
    "curve": [{"step": 1, "loss": float("inf")}, {"step": 2, "loss": 1e-300}],
    "model": {"weight": torch.arange(24.0).reshape(4, 6), "bias": torch.zeros(0)},
    "random": torch.get_rng_state(),
}


def equal(left: Any, right: Any) -> bool:
    """Whether two states are the same, types included."""
    if isinstance(left, torch.Tensor):
        same = isinstance(right, torch.Tensor) and left.dtype == right.dtype
        return same and torch.equal(left, right)
    if isinstance(left, dict):
        return list(left) == list(right) and all(equal(left[k], right[k]) for k in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return type(left) is type(right) and bool(left == right)


# --- Files. ---


def test_text_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "first")
    write_text(path, "second ä\n")
    assert path.read_bytes() == "second ä\n".encode()
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_others_may_read_it(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "text")
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o644


def test_old_content_survives_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fill_disk(file: IO[bytes]) -> None:
        file.write(b"half of the n")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left on device") as raised:
        write_atomically(path, fill_disk)
    assert raised.value.filename == str(path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_interruption_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def interrupt(file: IO[bytes]) -> None:
        file.write(b"half of the n")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, interrupt)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        write_text(tmp_path / "gone" / "a.txt", "text")
    assert raised.value.filename == str(tmp_path / "gone" / "a.txt")


def test_leftovers_are_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = [".lock", "checkpoint.pt", f"notes{SUFFIX}", ".hidden"]
    for name in (*kept, f".checkpoint.pt.abc123{SUFFIX}", f".status.json.x{SUFFIX}"):
        (tmp_path / name).write_text("")
    remove_leftovers(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(kept)


# --- Checkpoints. ---


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("saved") / "checkpoint.pt"
    save_checkpoint(path, "this run", STATE)
    return path.read_bytes()


def test_state_comes_back_as_it_was(tmp_path: Path, saved: bytes) -> None:
    (tmp_path / "c.pt").write_bytes(saved)
    assert equal(load_checkpoint(tmp_path / "c.pt", "this run"), STATE)


def test_tensors_that_are_views_come_back(tmp_path: Path) -> None:
    """The weights of a model may be views of one vector."""
    vector = torch.arange(10.0)
    save_checkpoint(tmp_path / "c.pt", "x", {"a": vector[:4].view(2, 2), "b": vector[4:]})
    state = load_checkpoint(tmp_path / "c.pt", "x")
    assert equal(state, {"a": torch.arange(4.0).view(2, 2), "b": torch.arange(4.0, 10.0)})


def test_any_flipped_byte_is_refused_or_harmless(tmp_path: Path, saved: bytes) -> None:
    path = tmp_path / "c.pt"
    refused: list[str] = []
    for place in range(0, len(saved), 23):
        damaged = bytearray(saved)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        try:
            state = load_checkpoint(path, "this run")
        except CheckpointError as error:
            refused.append(str(error))
        else:
            assert equal(state, STATE)
    assert refused
    assert all(reason.startswith(f"{path} ") and "\n" not in reason for reason in refused)


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.5, 0.9, 0.999])
def test_truncated_file_is_refused(tmp_path: Path, saved: bytes, share: float) -> None:
    path = tmp_path / "c.pt"
    path.write_bytes(saved[: int(share * len(saved))])
    with pytest.raises(CheckpointError, match=r"c\.pt is damaged"):
        load_checkpoint(path, "this run")


def test_changed_value_is_refused(tmp_path: Path, saved: bytes) -> None:
    """A file that is whole, but has another content than was written."""
    path = tmp_path / "c.pt"
    path.write_bytes(saved)
    content = torch.load(path, weights_only=True)
    content["state"]["model"]["weight"][2, 3] += 1
    torch.save(content, path)
    with pytest.raises(CheckpointError, match="its digest does not match"):
        load_checkpoint(path, "this run")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"identity": "that run"}, r"belongs to another run \(that run, not this run\)"),
        ({"format": FORMAT + 1}, rf"has checkpoint format {FORMAT + 1}; this version reads"),
    ],
)
def test_foreign_checkpoint_is_refused(
    tmp_path: Path, saved: bytes, changes: dict[str, Any], reason: str
) -> None:
    path = tmp_path / "c.pt"
    path.write_bytes(saved)
    torch.save({**torch.load(path, weights_only=True), **changes}, path)
    with pytest.raises(CheckpointError, match=reason):
        load_checkpoint(path, "this run")


@pytest.mark.parametrize("content", [[1, 2], torch.zeros(2), {"model": torch.zeros(2)}])
def test_file_of_another_kind_is_refused(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "c.pt")
    with pytest.raises(CheckpointError, match="is not a checkpoint of this suite"):
        load_checkpoint(tmp_path / "c.pt", "this run")


class Evil:
    """Unpickling it would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_checkpoint_executes_nothing(tmp_path: Path) -> None:
    torch.save({"format": FORMAT, "state": Evil(tmp_path / "owned")}, tmp_path / "c.pt")
    with pytest.raises(CheckpointError, match="is damaged and cannot be read"):
        load_checkpoint(tmp_path / "c.pt", "this run")
    assert not (tmp_path / "owned").exists()
