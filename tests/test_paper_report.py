"""The report of the paper's experiments, on made results: complete, readable by itself, and true to its rules."""

from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from making import melody, write_sound
from noizenet_training.paper.charts import Axis, Line, line_chart, spectrogram_chart, wave_chart
from noizenet_training.paper.claims import judge
from noizenet_training.paper.findings import Array, Finding, playing_figures
from noizenet_training.paper.plan import Case, Play, make_experiments, read_data, read_scale
from noizenet_training.paper.report import write_report
from noizenet_training.paper.rules import RULES, Verdict
from noizenet_training.paper.running import NO_SOUND, Results
from noizenet_training.paper.songs import RATE, Library, Song
from noizenet_training.sweeps.trials import Row, Trial

STUCK = np.concatenate([melody(0.25), np.zeros(RATE)]).astype(np.float32)
ALIVE = melody(2.0) + 0.01 * np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32)
EMPTY = {
    "area",
    "base",
    "br",
    "col",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "rect",
    "line",
    "polyline",
    "polygon",
    "image",
}


class Balance(HTMLParser):
    """Notes tags that aren't closed, or closed out of turn, and every address that the page names."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.addresses: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.addresses += [value for name, value in attrs if name in ("src", "href") and value]
        self.ids.add(named.get("id") or "")
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in EMPTY:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


def finding(value: str, raw: Array = NO_SOUND, state: Any = "finished", **figures: float) -> Finding:
    """Returns a finding that nothing was run for."""
    trial = Trial("made", (Path("a.wav"),), "paper-lstm", steps=10)
    row = Row("made", state, "noizenet train a.wav", "", "it diverged" if state == "failed" else "", updates=10)
    if len(raw):
        figures = playing_figures(raw, RATE, 0.1, 1.0, RATE) | {"rate": float(RATE)} | figures
    case = Case("made", value, trial, Play(RATE, 1.0), 1.0, 2)
    return Finding(case, row, figures, raw, why=row.why)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Results of every case: amplitude networks get stuck, mended ones live, and one training failed."""
    folder = tmp_path_factory.mktemp("made")
    unseen = write_sound(folder / "unseen.flac", melody(2.0))
    songs = tuple(Song(f"song <{number}>", unseen, 2.0) for number in range(4))
    library = Library(songs, Song("unseen.flac", unseen, 2.0), 2, ("text.wav is only words",))
    experiments = make_experiments("quick", read_scale("quick"), library, 0)
    heard = write_sound(folder / "heard.wav", ALIVE)
    findings = {}
    for experiment in experiments:
        findings[experiment.id] = []
        for number, case in enumerate(experiment.cases):
            failed = experiment.id == "stability" and number == 2
            raw = NO_SOUND if failed else ALIVE if experiment.id == "mended" else STUCK
            made = finding(case.value, raw, "failed" if failed else "finished", snr_db=10.0 + number, gain_db=-5.0)
            made.figures.update(update_ms=10.0 * (number + 1), trivial_snr_db=15.0, first_loss=1.0, loss=0.5)
            row = replace(made.row, losses=[1.0, 0.5], held_out_losses=[1.0, 0.6], updates_at=[5, 10])
            featured = heard if experiment.featured and not failed else None
            findings[experiment.id].append(replace(made, case=case, row=row, heard=featured, reproduced=featured))
    loops = {
        "loops": [{"loop": "as written", "constant_after": 5, "one_sample_at": 212, "departs_at": None}],
        "conclusion": ["The collapse is the network's own."],
    }
    return Results(
        "quick", read_scale("quick"), library, tuple(experiments), findings, loops, None, ("noizenet render",)
    )


@pytest.fixture(scope="module")
def written(results: Results, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page."""
    return write_report(results, tmp_path_factory.mktemp("out"), "noizenet paper songs", 1.5).read_text("utf-8")


def test_the_page_is_whole_and_needs_nothing_but_itself(written: str) -> None:
    found = Balance()
    found.feed(written)
    assert found.open == []
    assert found.faults == []
    outside = [address for address in found.addresses if not address.startswith(("data:", "#"))]
    assert outside == []
    missing = [address for address in found.addresses if address.startswith("#") and address[1:] not in found.ids]
    assert missing == []
    assert "@import" not in written
    assert "url(" not in written
    assert len(written) < 25e6


def test_every_claim_and_every_row_stands_in_the_page(results: Results, written: str) -> None:
    from html import escape

    for claim in judge(results):
        assert escape(claim.says) in written
        assert escape(claim.verdict.figures) in written
    for experiment in results.experiments:
        for case in experiment.cases:
            assert escape(case.value) in written
    for title in ("5.3.1", "5.4", "5.5.1", "5.5.2", "5.6", "5.7", "5.8", "5.9", "What the paper"):
        assert f"<h2>{title} " in written
    assert "it diverged" in written
    assert "song &lt;0&gt;" in written
    assert "noizenet paper songs" in written


def test_sounds_and_pictures_stand_side_by_side(written: str) -> None:
    assert written.count("<audio") > 20
    assert written.count("data:audio/flac;base64,") == written.count("<audio")
    assert written.count("<svg") > 60


def test_the_claims_are_decided_by_the_figures(results: Results) -> None:
    by_words = {claim.says: claim for claim in judge(results)}
    assert by_words["Any optimiser: the prediction converges."].verdict.held is True
    assert by_words["A network whose next step is drawn, not averaged, doesn't converge."].verdict.held is True
    trivial = by_words["So the network models music: it does better than repeating the last sample."]
    assert trivial.verdict.held is False
    assert "-5.0 dB" in trivial.verdict.figures


def verdict(rule: str, found: list[Finding], told: Mapping[str, Any] | None = None) -> Verdict:
    """Returns what a rule says."""
    return RULES[rule](found, told or {})


def test_rules_on_collapse_look_at_every_network() -> None:
    stuck, alive = finding("a", STUCK), finding("b", ALIVE)
    assert verdict("all_collapse", [stuck, stuck]).held is True
    assert verdict("all_collapse", [stuck, alive]).held is False
    assert verdict("all_collapse", [finding("c", state="failed")]).held is None
    assert verdict("all_live", [alive]).held is True
    assert verdict("all_live", [alive, stuck]).held is False
    assert verdict("all_live", [alive, finding("c", state="failed")]).held is None
    assert verdict("never_stuck", [alive, finding("c", state="failed")]).held is True
    assert verdict("never_stuck", [alive, stuck]).held is False
    assert "b: never" in verdict("all_collapse", [stuck, alive]).figures


@pytest.mark.parametrize(
    ("rule", "values", "told", "held"),
    [
        ("grows", (1.0, 2.0), {"least": 1.5}, True),
        ("grows", (1.0, 1.2), {"least": 1.5}, False),
        ("grows", (0.0, 0.0), {"least": 1.5}, False),
        ("shrinks", (2.0, 1.0), {"least": 1.5}, True),
        ("shrinks", (1.0, 2.0), {"least": 1.5}, False),
        ("rises", (1.0, 2.0), {"least": 0.5}, True),
        ("rises", (-2.0, -1.8), {"least": 0.5}, False),
        ("alike", (1.0, 1.2), {"most": 1.25}, True),
        ("alike", (1.0, 1.3), {"most": 1.25}, False),
        ("unlike", (1.0, 1.3), {"least": 1.25}, True),
        ("unlike", (1.0, 1.2), {"least": 1.25}, False),
        ("at_least", (1.0, 2.0), {"least": 1.0}, True),
        ("at_least", (0.9, 2.0), {"least": 1.0}, False),
        ("at_most", (1.0, 2.0), {"most": 2.0}, True),
        ("at_most", (1.0, 2.1), {"most": 2.0}, False),
        ("between", (1.0, 2.0), {"least": 1.0, "most": 2.0}, True),
        ("between", (0.9, 2.0), {"least": 1.0, "most": 2.0}, False),
    ],
)
def test_rules_compare_figures(rule: str, values: tuple[float, float], told: dict[str, float], held: bool) -> None:
    found = [finding(str(number), loss=value) for number, value in enumerate(values)]
    assert verdict(rule, found, told | {"figure": "loss"}).held is held


def test_what_was_not_measured_decides_nothing() -> None:
    found = [finding("a", loss=1.0), finding("b")]
    for rule in ("grows", "shrinks", "rises", "alike", "unlike", "at_least", "at_most", "between"):
        told = {"figure": "loss", "least": 1.0, "most": 2.0}
        assert verdict(rule, found, told).held is None, rule


def test_what_never_gets_stuck_lasts_longest() -> None:
    found = [finding("stuck", STUCK), finding("alive", ALIVE)]
    told = {"figure": "collapse_steps", "least": 2.0}
    assert verdict("grows", found, told).held is True
    assert verdict("first_lasts_longest", found).held is False
    assert verdict("first_lasts_longest", found[::-1]).held is True


def test_rules_on_training_read_the_losses() -> None:
    falling = replace(
        finding("a", first_loss=1.0, loss=0.5), row=Row("a", "finished", "", "", held_out_losses=[1.0, 0.9])
    )
    learnt_by_heart = replace(falling, row=replace(falling.row, losses=[1.0, 0.5], held_out_losses=[1.0, 1.1]))
    assert verdict("learns", [falling]).held is True
    assert verdict("generalises", [replace(learnt_by_heart)]).held is False
    diverged = replace(
        falling, row=replace(falling.row, said=["the loss diverged: the last good weights are restored"])
    )
    assert verdict("trains", [falling]).held is True
    assert verdict("trains", [diverged]).held is False
    assert verdict("only_first_trains", [falling, diverged, finding("c", state="failed")]).held is True
    assert verdict("only_first_trains", [falling, falling]).held is False


def test_a_loss_that_rises_less_at_later_songs_is_told_from_one_that_does_not() -> None:
    def trained(losses: list[float]) -> Finding:
        history = {"updates": list(range(len(losses))), "losses": losses, "songs": [0, 1] * (len(losses) // 2)}
        return replace(finding("2"), row=Row("a", "finished", "", "", history=history))

    assert verdict("jumps_less", [trained([1.0, 2.0, 1.0, 2.0, 1.0, 1.1, 1.0, 1.1])]).held is True
    assert verdict("jumps_less", [trained([1.0, 1.1, 1.0, 1.1, 1.0, 2.0, 1.0, 2.0])]).held is False
    assert verdict("jumps_less", [finding("1")]).held is None


def test_noise_is_told_by_its_spectrum() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32)
    assert verdict("is_noise", [finding("noise", noise)]).held is True
    assert verdict("is_noise", [finding("music", melody(2.0))]).held is False
    assert verdict("is_noise", [finding("too short", np.zeros(RATE, np.float32))]).held is False


def test_every_rule_says_in_a_sentence_what_it_asks() -> None:
    for name, rule in RULES.items():
        assert (rule.__doc__ or "").startswith("Held if "), name
    used = {claim["rule"] for claim in read_data("claims.toml")["claims"]}
    assert used == RULES.keys(), "a rule that no claim uses"


def test_charts_leave_out_what_is_not_finite() -> None:
    chart = line_chart([Line("a & b", [1, 2, 3], [1.0, float("nan"), 2.0])], "x", "y")
    assert "nan" not in chart
    assert "a &amp; b" in chart
    assert line_chart([Line("a", [1], [float("inf")])], "x", "y") == ""
    assert line_chart([Line("a", [0, 1, 10], [0.0, 1.0, 1.0])], "x", "y", log_x=True).count("polyline") == 1
    assert "<polygon" in wave_chart(np.zeros(10, np.float32), RATE)
    assert "data:image/png" in spectrogram_chart(np.zeros(10, np.float32), RATE)


@pytest.mark.parametrize(
    "axis", [Axis("", 0.0, 1.0), Axis("", -3.7, 212.0), Axis("", 1.0, 2000.0, True), Axis("", 5.0, 5.1)]
)
def test_ticks_are_few_and_on_the_axis(axis: Axis) -> None:
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 7
    assert all(-1e-9 <= axis.place(tick) <= 1 + 1e-9 for tick in ticks)
