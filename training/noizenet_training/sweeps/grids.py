"""The trials of a sweep: every combination of the values that are tried."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

from noizenet.errors import ConfigurationError
from noizenet_training.recipe_reading import load_recipe
from noizenet_training.sweeps.trials import Trial

# Options that change what the held-out loss is of: losses under different values of them can't be compared.
CHANGE_THE_LOSS = frozenset(
    (
        *("codec", "sample_rate", "level", "silence_db", "split", "held_out", "scaler", "features", "view", "clip_s"),
        *("window_s", "overlap", "floor", "axes", "stages", "classes", "head", "loss"),
    )
)


def values_to_try(tries: Sequence[str]) -> dict[str, list[str]]:
    """Returns the values of each option, from texts `key=value,value`.

    Raises:
        ConfigurationError: a text is malformed, or an option or a value comes twice.
    """
    found: dict[str, list[str]] = {}
    faults = []
    for text in tries:
        key, equals, listed = text.partition("=")
        key = key.strip()
        values = [value.strip() for value in listed.split(",")]
        if not equals or not key or not all(values):
            faults.append(f"--try {text}: write it as key=value,value, such as --try hidden=64,128")
        elif key in found:
            faults.append(f"--try {text}: {key} is tried already; name all its values at once")
        elif len(set(values)) < len(values):
            faults.append(f"--try {text}: a value comes twice")
        else:
            found[key] = values
    if faults:
        raise ConfigurationError("; ".join(faults))
    return found


def grid(common: Trial, tried: dict[str, list[str]], seeds: int) -> list[tuple[dict[str, str], Trial]]:
    """Returns every combination of values with its trial, for each of the seeds from 0 on.

    Args:
        common: what all trials share, with the overrides that don't vary.

    Raises:
        ConfigurationError: an option or a value doesn't exist or doesn't fit; every fault once.
    """
    audio = tuple(path.resolve() for path in common.audio)
    found = []
    faults: dict[str, None] = {}
    for combination in itertools.product(*tried.values()):
        chosen = dict(zip(tried, combination, strict=True))
        overrides = (*common.overrides, *(f"{key}={value}" for key, value in chosen.items()))
        try:
            load_recipe(common.recipe, overrides)
        except ConfigurationError as error:
            faults |= dict.fromkeys(str(error).split("; "))
            continue
        for seed in range(seeds):
            name = ",".join([f"{key}={value}" for key, value in chosen.items()] + [f"seed={seed}"] * (seeds > 1))
            trial = replace(common, name=name or common.recipe, audio=audio, overrides=overrides, seed=seed)
            found.append((chosen, trial))
    if faults:
        raise ConfigurationError("; ".join(faults))
    return found
