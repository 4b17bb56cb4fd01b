"""The page on how networks predict, 5.5.2 to 5.9 of the paper; on what it recommends, and on what mends it."""

from html import escape

from noizenet_training.paper.blocks import (
    claim_line,
    claims_of,
    note,
    number,
    playing_cards,
    title,
    verdict_badge,
)
from noizenet_training.paper.cards import card, cards, file_card, outputs_chart
from noizenet_training.paper.charts import SMALL
from noizenet_training.paper.claims import Claims
from noizenet_training.paper.findings import Finding
from noizenet_training.paper.page import Section, details, figure, image, paragraph, table
from noizenet_training.paper.rule_words import until_stuck
from noizenet_training.paper.running import Results

# Rows of the table in 5.6, in its order.
CONVERGENCE = (
    *("hidden", "layers", "loss", "optimiser", "learning_rate", "songs", "seconds", "prime", "clip", "dropout"),
    *("scaler", "unroll", "stride", "epochs"),
)
SETTINGS = (
    ("Hidden layer dimension", "50"),
    ("RNN or LSTM layers", "2"),
    ("Loss criterion", "mean squared error"),
    ("Optimiser", "Adam"),
    ("Learning rate", "0.0001"),
    ("Genre", "Instrumental"),
    ("Songs to train on", "5"),
    ("Seconds of each", "15"),
    ("Gradient clipping value", "1"),
    ("Dropout probability", "0.5"),
)


def reproduction_section(results: Results, claims: Claims) -> Section:
    """Returns the section on 5.5.2 and 5.5.3."""
    found = results.findings["cells"]
    rows = [(name, value) for name, value in SETTINGS]
    here = paragraph(
        "These settings are the recipe paper-lstm. Songs, seconds and updates are smaller here: see above."
        if results.mode == "quick"
        else "These settings are the recipe paper-lstm; the songs are those above."
    )
    figures = [
        (
            escape(finding.case.value),
            f"{finding.row.updates:,}",
            number(finding, "snr_db", "{:.2f} dB"),
            number(finding, "trivial_snr_db", "{:.2f} dB"),
            number(finding, "update_ms", "{:,.0f} ms"),
            until_stuck(finding).partition(": ")[2],
        )
        for finding in found
    ]
    heads = ("cell", "updates", "one step ahead", "repeating the last sample", "an update takes", "by itself")
    reproduced = [
        file_card(finding.reproduced, f"{escape(finding.case.value)}, one step ahead", _gain(finding))
        for finding in found
        if finding.reproduced
    ]
    parts = [
        paragraph(
            "One step ahead: at each sample the network is given the true song so far, and what it predicts next is "
            "what is heard. It never hears itself, so this says nothing of how it plays."
        ),
        claims_of(claims, "5.5.2"),
        claims_of(claims, "5.5.3"),
        table(heads, figures),
        note(results, "cells"),
        cards(reproduced),
        details("The paper's settings for this comparison", table(("hyperparameter", "value"), rows) + here),
        "<h3>Playing by themselves</h3>",
        figure(outputs_chart(found), "What each network predicts from its own predictions, after the unseen song."),
        playing_cards(results, found),
    ]
    return Section("s552", "5.5.2 and 5.5.3 Reproduction; RNN beside LSTM", "".join(parts))


def _gain(finding: Finding) -> str:
    if "gain_db" not in finding.figures:
        return ""
    ours, trivial = finding.figures["snr_db"], finding.figures["trivial_snr_db"]
    return f"{ours:.2f} dB; repeating the last sample: {trivial:.2f} dB."


def convergence_section(results: Results, claims: Claims) -> Section:
    """Returns the section on 5.6 with its table."""
    verdicts = [claim for claim in claims if claim.section == "5.6"]
    rows = []
    for name, claim in zip(CONVERGENCE, verdicts, strict=False):
        found = results.findings[name]
        values = ", ".join(finding.case.value for finding in found)
        here = "<br>".join(escape(_briefly(finding)) for finding in found)
        rows.append((title(results, name), escape(values), escape(claim.says), here, verdict_badge(claim)))
    heads = ("change", "values", "the paper", "stuck after so many steps (% of the song's length)", "")
    charts = [
        card(title(results, name), note(results, name), outputs_chart(results.findings[name], SMALL))
        for name in CONVERGENCE
    ]
    text = paragraph(
        "The paper changes one thing at a time, to find what keeps the prediction from converging to a constant. "
        "All that isn't named is as in the table of 5.5.3. A value that many rows share is trained once."
    )
    left = "".join(claim_line(claim) for claim in verdicts[len(CONVERGENCE) :])
    drawn = paragraph("What the networks of each row put out after the unseen song, laid over one another:")
    return Section(
        "s56", "5.6 The prediction converges", text + table(heads, rows) + _few(results) + left + drawn + cards(charts)
    )


def _briefly(finding: Finding) -> str:
    """Returns a value, and when its output gets stuck."""
    if not finding.collapses:
        return until_stuck(finding)
    figures = finding.figures
    return f"{finding.case.value}: {figures['collapse_steps']:,.0f} ({figures['collapse_percent']:.2g} %)"


def _few(results: Results) -> str:
    """Returns which rows asked for more songs than there are."""
    there = len(results.library.songs)
    wanted = [each.case.wanted_songs for each in results.findings["songs"] if each.case.wanted_songs > there]
    return paragraph(f"{wanted[0]} songs were asked for; there are {there}, and all were used.") if wanted else ""


def loops_section(results: Results) -> Section:
    """Returns the section on the author's loops."""
    text = paragraph(
        "The author's program predicts on in a loop that slices its window anew out of the slice before, so that of "
        "a prime of 22,050 samples a single one is left after 212 steps, 0.96 % of it. The same network, trained "
        "here, in that loop as it was written, in a version from a notebook that forgets its state at each step, and "
        "as the paper describes it."
    )
    if not results.loops:
        return Section("loops", "The loop as written, and as described", text + paragraph("It could not be run."))
    rows = [
        (
            escape(run["loop"]),
            "never" if run["constant_after"] is None else f"after {run['constant_after']:,} steps",
            "never" if run["one_sample_at"] is None else f"at step {run['one_sample_at']:,}",
            "never" if run["departs_at"] is None else f"at step {run['departs_at']:,}",
        )
        for run in results.loops["loops"]
    ]
    heads = ("loop", "stuck", "window of one sample", "leaves the loop as described")
    said = "".join(paragraph(sentence) for sentence in results.loops["conclusion"])
    drawn = ""
    if results.loops_picture and results.loops_picture.exists():
        drawn = figure(image(results.loops_picture.read_bytes(), "image/png", "the loops"), "The outputs of each loop.")
    return Section("loops", "The loop as written, and as described", text + table(heads, rows) + said + drawn)


def injection_section(results: Results, claims: Claims) -> Section:
    """Returns the section on 5.7."""
    text = paragraph(
        "The paper changes the network's input by a little noise when its predictions are too much alike. Here the "
        "same trained network plays without, with noise when it is stuck, every tenth of a second, and always."
    )
    found = results.findings["injection"]
    return Section("s57", "5.7 Artificial noise", text + claims_of(claims, "5.7") + playing_cards(results, found))


def primes_section(results: Results, claims: Claims) -> Section:
    """Returns the section on 5.8."""
    text = paragraph("The same network, primed with two seconds of normal noise or of Perlin noise instead of a song.")
    found = results.findings["noise_prime"]
    return Section("s58", "5.8 Predicting from noise", text + claims_of(claims, "5.8") + playing_cards(results, found))


def frequency_section(results: Results, claims: Claims) -> Section:
    """Returns the section on 5.9."""
    text = paragraph(
        "As its author built it: one Fourier transform of a whole clip, its real and then its imaginary parts read as "
        "a sequence along frequency, and predicted from one frequency to the next. A prediction that is stuck is a "
        "constant spectrum: a click, once a clip. Its mend, spectral frames one after "
        "another in time, is among the mended recipes below."
    )
    found = results.findings["fft"]
    return Section("s59", "5.9 The Fourier transform", text + claims_of(claims, "5.9") + playing_cards(results, found))


def recommendations_section(results: Results, claims: Claims) -> Section:
    """Returns the section on what the paper recommends."""
    rows = [
        ("A GRU", "the recipe paper-gru: section 5.5.3 above"),
        ("More computing power, longer sequences", "the rows on seconds and on sequence length in 5.6"),
        ("Another data set", "the songs above, or any: <code>noizenet paper CORPUS</code>"),
        ("A lossless format", "wav, flac and aiff are read as they are"),
        ("More input features", "the recipe paper-features: below"),
        ("Another model: a convolutional network on a spectrogram", "the recipe paper-cnn: among the mended ones"),
    ]
    found = [finding for finding in results.findings["features"] if finding.case.value != "paper-lstm"]
    body = (
        table(("the paper recommends", "here"), rows) + claims_of(claims, "recommended") + playing_cards(results, found)
    )
    return Section("recommended", "What the paper recommends", body)


def mended_section(results: Results, claims: Claims) -> Section:
    """Returns the section on the mended recipes."""
    found = results.findings["mended"]
    text = paragraph(
        "A network that predicts a number by the least square error predicts the mean of all that might come, and the "
        "mean of a wave is its rest position. These predict how likely each continuation is, and one is drawn: they "
        "neither converge nor repeat. They are trained on longer excerpts, and play without any noise injected."
    )
    rows = [
        (
            escape(finding.case.value),
            f"{finding.row.updates:,}",
            f"{finding.row.minutes:.1f}",
            until_stuck(finding).partition(": ")[2],
            number(finding, "survival", "{:.0%}"),
            number(finding, "flatness", "{:.2g}"),
        )
        for finding in found
    ]
    heads = ("recipe", "updates", "minutes", "by itself", "half-seconds alive", "spectral flatness")
    body = text + claims_of(claims, "mended") + table(heads, rows) + playing_cards(results, found)
    return Section("mended", "The mended recipes", body)
