"""Expansion of a command line: the cells of a sweep, an experiment's sweep, a campaign."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from hydra import compose
from hydra.core.override_parser.types import Override

from ntmbench.commands.grammar import alternatives, parse
from ntmbench.commands.hydras import is_hydras
from ntmbench.commands.overrides import check_name
from ntmbench.composition.composing import REFUSALS, choices, composing, first_line, innermost
from ntmbench.composition.groups import EXPERIMENT, NEEDED, OPTIONAL
from ntmbench.errors import SettingError


def cells_of(arguments: Sequence[str]) -> list[list[str]]:
    """The overrides of every cell of a sweep, in the order in which Hydra numbers them.

    The list is empty if a sweeper other than Hydra's own chooses the cells as it goes.
    """
    overrides = [parse(argument) for argument in arguments]
    if any(override.key_or_group == "hydra/sweeper" for override in overrides):
        return []
    return [
        list(cell)
        for cell in itertools.product(*(alternatives(o) for o in overrides if not is_hydras(o)))
    ]


def parts_of_campaign(arguments: Sequence[str], *, sweep: bool) -> list[list[str]]:
    """The command lines that ``+experiment=FOLDER`` stands for, one for each file of the folder.

    There are none if ``arguments`` name no folder.

    Raises:
        SettingError: if they name one, and ``sweep`` is not set.
    """
    for place, argument in enumerate(arguments):
        key, _, folder = argument.partition("=")
        if key != f"+{EXPERIMENT}":
            continue
        with composing():
            inside = [name for name in choices(EXPERIMENT) if name.startswith(f"{folder}/")]
        if inside and not sweep:
            raise SettingError(
                f"{argument} is a campaign of sweeps. Allowed: with the option -m alone."
            )
        if inside:
            before, after = arguments[:place], arguments[place + 1 :]
            return [[*before, f"+{EXPERIMENT}={name}", *after] for name in inside]
    return []


def with_experiment(arguments: Sequence[str], *, sweep: bool) -> list[str]:
    """Write out the sweep that ``+experiment=`` stands for, so that it is checked like any other.

    As in Hydra's own sweeper, an override of the command line replaces the experiment's.

    Raises:
        SettingError: for an unknown experiment, or for one that sweeps if ``sweep`` is not set.
    """
    overrides = {argument: parse(argument) for argument in arguments}
    chosen = [argument for argument, o in overrides.items() if o.key_or_group == EXPERIMENT]
    with composing():
        for argument in chosen:
            check_name(overrides[argument])
    swept = _swept_by(chosen) if chosen else []
    if swept and not sweep:
        raise SettingError(f"{' '.join(chosen)} is a sweep. Allowed: with the option -m.")
    merged = {parse(argument).get_key_element(): argument for argument in [*swept, *arguments]}
    return list(merged.values())


def _swept_by(experiment: Sequence[str]) -> list[str]:
    """The overrides that Hydra's sweeper would put before those of the command line."""
    with composing():
        try:
            composed = compose("config", overrides=list(experiment), return_hydra_config=True)
        except REFUSALS as error:
            reason = first_line(innermost(error)).rstrip(".")
            raise SettingError(
                f"{' '.join(experiment)} is refused: {reason}. Allowed beside its sweep: what "
                "the default task and model have too. Others go into hydra.sweeper.params."
            ) from error
    return [f"{key}={value}" for key, value in (composed.hydra.sweeper.params or {}).items()]


def for_each_cell(arguments: Sequence[str]) -> list[str]:
    """Rewrite a sweep's overrides so that Hydra applies them where they belong.

    Beside the cells, Hydra composes a configuration without the swept overrides. With
    ``model=lstm,seq2seq model.hidden_size=8`` it would ask the default model for a hidden size.
    Written as a sweep over one value, the override goes to the cells alone.
    """
    overrides = {argument: parse(argument) for argument in arguments}
    swept = {o.key_or_group for o in overrides.values() if o.is_sweep_override()}
    if not swept & set(NEEDED):
        return list(arguments)
    return [_as_sweep(argument, override) for argument, override in overrides.items()]


def _as_sweep(argument: str, override: Override) -> str:
    key, _, value = argument.partition("=")
    part = override.key_or_group.partition(".")[0]
    of_cell = part in (*NEEDED, *OPTIONAL)
    if override.is_sweep_override() or override.is_delete() or not of_cell or not value:
        return argument
    rewritten = f"{key}=choice({value})"
    try:
        return rewritten if parse(rewritten).is_sweep_override() else argument
    except SettingError:  # a cast, which cannot stand inside a choice
        return argument
