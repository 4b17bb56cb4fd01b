"""Running the experiments: train, play, measure. Whatever was done before a kill is not done again."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.codecs import Codec, steps_per_second
from noizenet.sound_file import read
from noizenet_training.paper.findings import (
    Finding,
    playing_figures,
    reproduction_figures,
    spectrum_figures,
    training_figures,
)
from noizenet_training.paper.hearing import Command, run_commands
from noizenet_training.paper.plan import Case, Experiment, Mode, Scale, make_experiments, most_songs, read_scale
from noizenet_training.paper.songs import RATE, Library, gather_songs
from noizenet_training.progress import Reporter
from noizenet_training.sweeps.sweeping import run_trials
from noizenet_training.sweeps.trials import Row

Array = NDArray[Any]

LOOPED = "paper-lstm"  # the case of the experiment on cells that is run in the author's loops
LOOP_STEPS = {"quick": 300, "full": 2000}  # beyond the 212th, where the author's window has shrunk to one sample
NO_SOUND = np.zeros(0, np.float32)


@dataclass(frozen=True)
class Results:
    """Everything that came of the experiments.

    Attributes:
        findings: of each experiment, one for each case.
        loops: what `noizenet loops --json` says, and its picture; None if it failed.
    """

    mode: Mode
    scale: Scale
    library: Library
    experiments: tuple[Experiment, ...]
    findings: dict[str, list[Finding]]
    loops: dict[str, Any] | None
    loops_picture: Path | None
    commands: tuple[str, ...]

    def about(self, names: Sequence[str]) -> list[Finding]:
        """Returns the findings that names mean: an experiment, or one of its values after a slash."""
        found = []
        for name in names:
            experiment, _, value = name.partition("/")
            found += [each for each in self.findings[experiment] if not value or each.case.value == value]
        return found


def run_experiments(
    corpus: Sequence[Path],
    out: Path,
    mode: Mode,
    report: Reporter,
    *,
    minutes: float | None = None,
    ray_address: str = "",
    seed: int = 0,
) -> Results:
    """Runs what hasn't been run, and returns what came of all.

    Args:
        minutes: of a trial, at most, instead of the mode's.
        ray_address: see `run_trials`.

    Raises:
        NoizeNetError: the corpus is of no use, `out` can't be written to, or Ray is not to be had.
    """
    scale = read_scale(mode, minutes)
    library = gather_songs(corpus, out / "songs", scale.songs, most_songs(mode))
    for sentence in library.skipped:
        report.say(f"skipped: {sentence}")
    experiments = make_experiments(mode, scale, library, seed)
    cases = [case for experiment in experiments for case in experiment.cases]
    trials = sorted({case.trial for case in cases}, key=lambda trial: (-trial.minutes, trial.name))
    report.say(f"{len(trials)} trainings for {len(cases)} cases, of at most {scale.minutes:g} minutes each as a rule")
    rows = dict(zip(trials, run_trials(trials, out, report, ray_address=ray_address), strict=True))

    listening = _Listening(out, library, scale, seed)
    commands: list[Command] = []
    for experiment in experiments:
        for case in experiment.cases:
            if rows[case.trial].state == "finished":
                commands += listening.commands(case, experiment)
    looped = next((case for case in cases if case.experiment == "cells" and case.value == LOOPED), None)
    loops = listening.loops(looped, LOOP_STEPS[mode]) if looped and rows[looped.trial].state == "finished" else None
    everything = ([loops] if loops else []) + commands
    faults = run_commands(everything, report)
    for path, fault in faults.items():
        report.say(f"{path.name} could not be made: {fault}")
    findings = {
        experiment.id: [listening.finding(case, experiment, rows[case.trial], faults) for case in experiment.cases]
        for experiment in experiments
    }
    told, picture = None, None
    if loops and loops.keep and loops.is_done:
        told, picture = json.loads(loops.keep.read_text(encoding="utf-8")), loops.makes
    words = tuple(dict.fromkeys("noizenet " + " ".join(command.arguments) for command in everything))
    return Results(mode, scale, library, tuple(experiments), findings, told, picture, words)


class _Listening:
    """Which commands play and measure a case, and what they found."""

    def __init__(self, out: Path, library: Library, scale: Scale, seed: int) -> None:
        self._trials = out / "trials"
        self._folder = out / "plays"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._seed = seed
        self._unseen = library.unseen
        self._reproduced_s = scale.prime_s

    def commands(self, case: Case, experiment: Experiment) -> list[Command]:
        """Returns the commands for a case whose training is finished."""
        found = [self._render(case, raw=True)]
        if experiment.featured:
            found.append(self._render(case, raw=False))
        if not case.trial.recipe.startswith(("paper-cnn", "tokens", "paper-stft", "paper-fft")):
            found.append(self._reproduce(case))
        return found

    def loops(self, case: Case, steps: int) -> Command:
        """Returns the command that runs a network in the author's loops."""
        picture = self._folder / f"{case.trial.stem}-loops.png"
        words = ("loops", str(self._checkpoint(case)), "--prime", str(self._excerpt(1.0)), "--steps", str(steps))
        return Command((*words, "--out", str(picture), "--json"), picture, picture.with_suffix(".json"))

    def finding(self, case: Case, experiment: Experiment, row: Row, faults: dict[Path, str]) -> Finding:
        """Returns what was found about a case."""
        figures = training_figures(row)
        if row.state != "finished":
            return Finding(case, row, figures, NO_SOUND, why=row.why)
        reproduce, raw = self._reproduce(case), self._render(case, raw=True)
        if reproduce.keep:
            figures |= reproduction_figures(reproduce.keep)
        if raw.makes in faults:
            return Finding(case, row, figures, NO_SOUND, why=faults[raw.makes])
        samples, rate, codec = self._played(case, raw.makes)
        prime = self._prime(case)
        figures |= playing_figures(samples, rate, float(prime.std()), case.song_s, steps_per_second(codec))
        if codec.name == "spectrum":
            figures |= spectrum_figures(samples, prime, rate, codec.hop)
        heard = self._render(case, raw=False).makes if experiment.featured else None
        return Finding(
            case,
            row,
            figures | {"rate": float(rate)},
            samples,
            heard if heard and heard.exists() else None,
            reproduce.makes if reproduce.makes.exists() else None,
        )

    def _played(self, case: Case, path: Path) -> tuple[Array, int, Codec]:
        """Returns samples and rate of a file, and the codec of the network that played it."""
        samples, rate = read(path, finite=False)
        return samples[:, 0], rate, Checkpoint.load(self._checkpoint(case)).codec

    def _prime(self, case: Case) -> Array:
        """Returns the samples that prime a case; the unseen song's if noise does, which is about as loud."""
        samples, _ = read(self._excerpt(self._prime_s(case)))
        return samples[:, 0]

    def _checkpoint(self, case: Case) -> Path:
        return self._trials / f"{case.trial.stem}.safetensors"

    def _prime_s(self, case: Case) -> float:
        return case.play.prime / RATE if isinstance(case.play.prime, int) else self._unseen.seconds

    def _excerpt(self, seconds: float) -> Path:
        """Returns a file with the beginning of the unseen song, written if it isn't there."""
        import soundfile

        count = min(round(seconds * RATE), round(self._unseen.seconds * RATE))
        path = self._folder / f"{self._unseen.path.stem}-{count}.wav"
        if not path.exists():
            samples, _ = soundfile.read(self._unseen.path, frames=count, dtype="float32")
            partial = path.with_suffix(".part")
            soundfile.write(partial, samples, RATE, subtype="FLOAT", format="WAV")
            partial.replace(path)
        return path

    def _render(self, case: Case, *, raw: bool) -> Command:
        prime = str(self._excerpt(self._prime_s(case))) if isinstance(case.play.prime, int) else case.play.prime
        words = ["render", str(self._checkpoint(case)), "--prime", prime, "--seconds", f"{case.play.seconds:g}"]
        words += ["--seed", str(self._seed), *(["--raw"] if raw else [])]
        for setting in case.play.settings:
            words += ["--set", setting]
        digest = hashlib.sha256(json.dumps(words).encode()).hexdigest()[:8]
        path = self._folder / f"{case.trial.stem}-{digest}-{'raw' if raw else 'heard'}.wav"
        return Command((*words, "--out", str(path)), path)

    def _reproduce(self, case: Case) -> Command:
        """Returns the command that predicts the unseen song one step ahead."""
        song = self._excerpt(self._reproduced_s)
        path = self._folder / f"{case.trial.stem}-{song.stem.rpartition('-')[2]}-reproduced.wav"
        words = ("reproduce", str(self._checkpoint(case)), str(song), str(path), "--json")
        return Command(words, path, path.with_suffix(".json"))
