"""TensorBoard and W&B in cells that run in other processes: each run has its own curve, once."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ntmbench.runs.folder import RunFolder
from tests.conftest import TINY, command
from tests.runs.observed import tensorboard_events, wandb_rows

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("package", "launcher"),
    [
        ("joblib", ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")),
        ("submitit", ("hydra/launcher=submitit_local",)),
        ("ray", ("hydra/launcher=ray", "hydra.launcher.cells_per_task=2")),
    ],
)
def test_each_cell_has_its_own_curve(
    tmp_path: Path, package: str, launcher: tuple[str, ...]
) -> None:
    for needed in (package, "tensorboard", "wandb"):
        pytest.importorskip(needed, reason=f"needs {needed}, which comes with an extra")
    ended = command(
        *("-m", "task=copy", "seed=0,1,2", *TINY, *launcher),
        "observers=[tensorboard,wandb]",
        folder=tmp_path,
        WANDB_MODE="offline",
        WANDB_SILENT="true",
    )
    assert ended.code == 0, ended.out + ended.err
    runs = [RunFolder(path) for path in (tmp_path / "results" / "runs").iterdir()]
    assert len(runs) == 3
    for run in runs:
        curve = pd.read_csv(run.metrics)
        events = tensorboard_events(run).Scalars("validation/errors")
        logged = [row for row in wandb_rows(run) if "validation/errors" in row]
        for steps, errors in (
            ([event.step for event in events], [event.value for event in events]),
            ([row["sequences"] for row in logged], [row["validation/errors"] for row in logged]),
        ):
            assert steps == curve["sequences"].tolist()
            assert errors == pytest.approx(curve["errors"].tolist())
