"""`python -m ntmbench`: a Hydra application around one function, ``job``."""

from __future__ import annotations

import os
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn, cast

import hydra
from hydra._internal.utils import _run_hydra, get_args_parser
from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig
from rich.console import Console

from ntmbench.commands import sweeps
from ntmbench.commands.campaign import run_in_turn
from ntmbench.commands.cells import Note
from ntmbench.commands.console import NamedLines, show
from ntmbench.commands.expansion import (
    cells_of,
    for_each_cell,
    parts_of_campaign,
    with_experiment,
)
from ntmbench.commands.hydras import check_package
from ntmbench.commands.launchers import register_launchers
from ntmbench.commands.overrides import check_overrides
from ntmbench.composition.composing import (
    REFUSALS,
    VERSION_BASE,
    composing,
    first_line,
    innermost,
    register_schemas,
    to_run_config,
)
from ntmbench.composition.groups import CONFIG_MODULE
from ntmbench.errors import SettingError, UserError
from ntmbench.runs.check import reason_of
from ntmbench.runs.folder import HeldError, RunFolder
from ntmbench.runs.runner import run
from ntmbench.training.interruption import Interrupted, interrupted_by_sigterm

# Hydra 1.4 requires a list of the classes that the configuration may name.
HYDRA_MAIN: dict[str, Any] = VERSION_BASE or {
    "execution_whitelist": [f"{sweeps.NoteFolder.__module__}.{sweeps.NoteFolder.__qualname__}"]
}

#: The variable by which Hydra is asked for whole tracebacks.
FULL_ERROR = "HYDRA_FULL_ERROR"

REFUSED = 2
FAILED = 1

#: Hydra's options that exclude each other.
MODES = ("run", "cfg", "info", "multirun", "shell_completion")

#: Hydra's options that make the configuration another one than the suite's, which is not checked.
REPLACING = ("config_path", "config_name", "config_dir", "experimental_rerun")


def job(composed: DictConfig) -> Note | None:
    """Run one configuration; in a sweep, one of its cells, of which it returns what is noted."""
    context = HydraConfig.get()
    if context.mode is RunMode.MULTIRUN:
        return _sweep_cell(composed, context)
    # Hydra would print a refusal as a traceback, but lets an exit through.
    if code := _guarded(lambda: _single_run(composed)):
        raise SystemExit(code)
    return None


# hydra.main reads sys.argv unless it is given something to hand on, here a command line. It is used
# for what else it does: it sets the version whose behaviour Hydra follows, and the classes that the
# configuration may name.
@hydra.main(**HYDRA_MAIN)
def _run_job(arguments: Sequence[str]) -> None:
    parser = _parser()
    options = parser.parse_intermixed_args(arguments)
    told_in_full = FULL_ERROR in os.environ
    os.environ.setdefault(FULL_ERROR, "1")  # Hydra would print a failure itself, in several lines
    try:
        _run_hydra(
            args=options,
            args_parser=parser,
            task_function=job,
            config_path=f"pkg://{CONFIG_MODULE}",
            config_name="config",
        )
    except (UserError, OSError):
        raise
    except REFUSALS as error:
        if told_in_full:
            raise
        raise SettingError(
            f"{first_line(innermost(error))} ({FULL_ERROR}=1 shows where.)"
        ) from error
    finally:
        if not told_in_full:
            del os.environ[FULL_ERROR]


def _parser() -> ArgumentParser:
    parser: ArgumentParser = get_args_parser()
    parser.error = _refuse_option  # type: ignore[method-assign]
    return parser


def _refuse_option(message: str) -> NoReturn:
    """Refuse an option in one line; the parser itself would print its usage too."""
    raise SettingError(f"{message}. All options: --hydra-help.")


def main() -> None:
    """Check the command line, run it, and end with an exit code that says how it went.

    0: finished. 1: a run failed or diverged. 2: refused. 130 and 143: interrupted by SIGINT and
    SIGTERM. A campaign has the first exit code of its sweeps that is not 0.
    """
    sys.exit(exit_code_of(lambda: _main(sys.argv[1:])))


def exit_code_of(command: Callable[[], int]) -> int:
    """Run a command that SIGTERM interrupts as Ctrl-C does, and print in one line what ended it."""
    with interrupted_by_sigterm():
        return _guarded(command)


def _main(arguments: Sequence[str]) -> int:
    register_schemas()
    register_launchers()
    given = _parser().parse_intermixed_args(arguments)
    modes = [mode for mode in MODES if getattr(given, mode)]
    replaced = any(getattr(given, option) for option in REPLACING)
    sweep = modes == ["multirun"] and not replaced
    overrides: list[str] = given.overrides
    if parts := parts_of_campaign(overrides, sweep=sweep):
        return _campaign(parts)
    if len(modes) > 1:
        chosen = " and ".join(f"--{mode.replace('_', '-')}" for mode in modes)
        raise UserError(f"{chosen} do not go together: give one of them.")
    expected: list[list[str]] = []
    if sweep:
        overrides = with_experiment(overrides, sweep=True)
        check_overrides(overrides, sweep=True)
        overrides = for_each_cell(overrides)
        expected = cells_of(overrides)
        arguments = ["--multirun", *overrides]
    elif not replaced and not given.shell_completion:
        if not given.cfg and not given.info:
            with_experiment(overrides, sweep=False)
        check_overrides(overrides, sweep=False)
        if given.cfg and given.package:
            with composing():
                check_package(overrides, given.package, hydras=given.cfg != "job")
    with sweeps.noted_folders(expected) as folders:
        stopped: BaseException | None = None
        try:
            _run_job(arguments)
        except BaseException as error:
            stopped = error
    refused = isinstance(stopped, UserError)  # by the launcher, perhaps before any cell started
    told = bool(folders) and not (refused and not sweeps.has_started(folders[0]))
    code = sweeps.conclude(folders[0], Console(), expected) if told else 0
    if stopped is not None:
        raise stopped
    return code


def _campaign(parts: Sequence[list[str]]) -> int:
    """Run sweeps one after the other; all are checked before the first begins."""
    for part in parts:
        try:
            check_overrides(with_experiment(part, sweep=True), sweep=True)
        except UserError as error:
            (experiment,) = (argument for argument in part if argument.startswith("+experiment="))
            raise UserError(f"{experiment}: {error}") from error
    return run_in_turn(["-m", *part] for part in parts)


def _guarded(command: Callable[[], int]) -> int:
    """Run a command, print in one line what stopped it, and return the exit code."""
    try:
        return command()
    except UserError as error:
        print(f"ntmbench: {error}", file=sys.stderr)
        return REFUSED
    except OSError as error:
        print(f"ntmbench: {reason_of(error)}", file=sys.stderr)
        return REFUSED
    except Interrupted as error:
        print("ntmbench: interrupted; resume with the same command.", file=sys.stderr)
        return 128 + error.signal_number
    except KeyboardInterrupt:
        print("ntmbench: interrupted; resume with the same command.", file=sys.stderr)
        return 128 + signal.SIGINT


def _single_run(composed: DictConfig) -> int:
    console = Console()
    config = to_run_config(composed)
    try:
        outcome = run(config, console)
    except (UserError, OSError, KeyboardInterrupt):
        raise
    except BaseException as error:  # SystemExit too, which would end it without a line
        log = RunFolder(config.folder).log
        where = f" (the traceback is in {log})" if log.exists() else ""
        print(f"ntmbench: {reason_of(error)}{where}", file=sys.stderr)
        return FAILED
    show(outcome, console)
    return 0 if outcome.state == "finished" else FAILED


def _sweep_cell(composed: DictConfig, context: HydraConf) -> Note:
    """Run a cell and note its end in the sweep's folder, so that no failure stops other cells."""
    folder, number = Path(context.runtime.output_dir), int(context.job.num)
    overrides = [str(override) for override in context.overrides.task]
    console = Console()
    config = None
    try:
        config = to_run_config(composed)
        if "BasicLauncher" not in context.launcher["_target_"]:  # cells run side by side
            console = Console(file=cast(IO[str], NamedLines(config.run_name)), force_terminal=False)
        sweeps.write_cell(folder, number, overrides, config, "running")
        outcome = run(config, console)
    except KeyboardInterrupt:
        sweeps.write_cell(folder, number, overrides, config, "interrupted")
        raise
    except BaseException as error:  # SystemExit too, which would end all cells
        reason = reason_of(error)
        state = "held" if isinstance(error, HeldError) else "failed"
        line = f"{' '.join(overrides)}: {reason}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)
        return sweeps.write_cell(folder, number, overrides, config, state, reason=reason)
    if outcome.already:
        line = f"{outcome.folder.name}: already done ({outcome.state}); rerun=true forces it."
        console.print(line, highlight=False, soft_wrap=True)
    else:
        show(outcome, console)
    return sweeps.write_cell(
        folder, number, overrides, config, outcome.state, outcome, outcome.reason
    )
