"""The sections of the page on the songs, and on training: 5.3.1 to 5.5.1 of the paper."""

from html import escape

from noizenet_training.paper.blocks import claims_of, note, number, playing_cards, title
from noizenet_training.paper.cards import cards, file_card, losses_chart
from noizenet_training.paper.claims import Claims
from noizenet_training.paper.page import Section, figure, paragraph, table
from noizenet_training.paper.running import Results

# Rows of the paper's table 1.
TABLE_1 = ("hidden", "layers", "loss", "optimiser", "learning_rate", "clip")


def songs_section(results: Results) -> Section:
    """Returns the section on which songs were used."""
    library = results.library
    rows = [(escape(song.name), f"{song.seconds:.1f} s", "trained on") for song in library.songs[: library.usual]]
    rows.append((escape(library.unseen.name), f"{library.unseen.seconds:.1f} s", "never trained on"))
    rows += [
        (escape(song.name), f"{song.seconds:.1f} s", "only where more songs are asked for")
        for song in library.songs[library.usual :]
    ]
    text = paragraph(
        "The longest songs of the corpus, each from its first sound on, mono at 22,050 Hz. The unseen song primes the "
        "networks, validates their training, and is what they are asked to reproduce."
    )
    unseen = file_card(library.unseen.path, f"The unseen song: {escape(library.unseen.name)}")
    return Section("songs", "The songs", text + table(("song", "length", "used"), rows) + cards([unseen]))


def hyperparameters_section(results: Results, claims: Claims) -> Section:
    """Returns the section on 5.3.1 with table 1."""
    parts = [
        paragraph(
            "Table 1 of the paper says how hyperparameters influence the model and what they cost. Here: one step "
            "ahead on the unseen song, in dB over the error (more is better), the training loss at the end, and "
            "the milliseconds that an update of the weights takes."
        ),
        claims_of(claims, "5.3.1"),
    ]
    heads = ("value", "updates", "one step ahead", "loss at the end", "an update takes")
    for name in TABLE_1:
        parts.append(f"<h3>{title(results, name)}</h3>{note(results, name)}")
        rows = [
            (
                escape(finding.case.value),
                f"{finding.row.updates:,}",
                number(finding, "snr_db", "{:.2f} dB"),
                number(finding, "loss", "{:.4g}"),
                number(finding, "update_ms", "{:,.0f} ms"),
            )
            for finding in results.findings[name]
        ]
        parts.append(table(heads, rows))
    return Section("s531", "5.3.1 Hyperparameters and what they cost", "".join(parts))


def stability_section(results: Results, claims: Claims) -> Section:
    """Returns the section on 5.4."""
    rows = []
    for finding in results.findings["stability"]:
        how = finding.row.why or "; ".join(sentence for sentence in finding.row.said if "diverged" in sentence)
        rows.append((escape(finding.case.value), finding.row.state, escape(how or "came to its end")))
    text = paragraph(
        "A training whose loss becomes NaN or runs away goes back to its last good weights and halves the learning "
        "rate, twice; then it gives up and says so."
    )
    body = text + claims_of(claims, "5.4") + table(("training", "state", "what happened"), rows)
    return Section("s54", "5.4 Numerical stability", body)


def batching_section(results: Results, claims: Claims) -> Section:
    """Returns the section on 5.4.1."""
    found = results.findings["feeding"]
    text = paragraph(
        "The paper feeds a song in one shot, because networks trained on batches gave it noise. Here: one shot; "
        "windows one after another with the hidden state carried on; and shuffled windows that know nothing of each "
        "other. What is drawn is the end of the prime, and after the dashed line what the network plays."
    )
    return Section("s541", "5.4.1 Batches", text + claims_of(claims, "5.4.1") + playing_cards(results, found))


def training_section(results: Results, claims: Claims) -> Section:
    """Returns the section on 5.5.1."""
    one, cells = results.findings["one_song"], results.findings["cells"]
    songs = results.findings["songs"]
    parts = [
        claims_of(claims, "5.5.1"),
        figure(losses_chart(one), "The loss of each update on one song, by dropout probability."),
        figure(
            losses_chart(songs), "The loss of each update on several songs in turn, by the number of songs; a song an "
            "update, so that each tooth is a new song."
        ),
        figure(losses_chart(cells, held_out=True), "Training and validation: the mean loss of each round, and that of "
               "the unseen song after it."),
    ]  # fmt: skip
    return Section("s551", "5.5.1 Training and validation", "".join(parts))
