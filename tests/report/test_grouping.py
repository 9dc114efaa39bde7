"""Which runs stand together in the report, what they are called, and in which order they come."""

from __future__ import annotations

from pathlib import Path

from tests.fabricated import fabricate
from tests.reporting import build, tasks_of


def test_groups_of_one_model_are_told_apart_by_their_settings(tmp_path: Path) -> None:
    for controller in ("lstm", "feedforward"):
        for seed in (0, 1):
            fabricate(tmp_path, seed=seed, model_settings={"controller": controller})
    summary = build(tmp_path).tables["summary"]
    assert summary["label"].to_list() == ["ntm (controller=feedforward)", "ntm (controller=lstm)"]
    assert summary["runs"].to_list() == [2, 2]


def test_the_fewest_settings_tell_groups_apart(tmp_path: Path) -> None:
    for controller, size, rate in (("lstm", 100, 1e-4), ("feedforward", 200, 1e-4), ("gru", 90, 1)):
        fabricate(
            tmp_path,
            model_settings={"controller": controller, "controller_size": size},
            train_settings={"learning_rate": rate},
        )
    assert build(tmp_path).tables["summary"]["label"].to_list() == [
        "ntm (controller=feedforward)",
        "ntm (controller=gru)",
        "ntm (controller=lstm)",
    ]


def test_several_settings_are_named_where_one_does_not_tell_all_apart(tmp_path: Path) -> None:
    sizes = (("lstm", 100), ("lstm", 200), ("gru", 100), ("gru", 200))
    for controller, size in sizes:
        fabricate(tmp_path, model_settings={"controller": controller, "controller_size": size})
    assert build(tmp_path).tables["summary"]["label"].to_list() == [
        "ntm (controller=gru, controller_size=100)",
        "ntm (controller=gru, controller_size=200)",
        "ntm (controller=lstm, controller_size=100)",
        "ntm (controller=lstm, controller_size=200)",
    ]


def test_models_and_tasks_come_in_the_order_of_the_paper(tmp_path: Path) -> None:
    for task in ("sorting", "recall", "copy"):
        for model in ("seq2seq", "lstm", "ntm", "memoryless"):
            fabricate(tmp_path, task, model)
    report = build(tmp_path)
    summary = report.tables["summary"]
    assert list(dict.fromkeys(summary["task"])) == ["copy", "recall", "sorting"]
    assert summary["model"].to_list()[:4] == ["ntm", "lstm", "seq2seq", "memoryless"]
    headings = [task.label for task in tasks_of(report)]
    assert headings == ["copy", "recall", "sorting"]
