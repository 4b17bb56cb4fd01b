"""The documentation can't rot: every command in it is run, and every link leads somewhere."""

import re
from pathlib import Path

import pytest

from documents import DOCUMENTS, LANGUAGES, ROOT, Block, blocks_of, session_in, work_through
from making import melody, tokens_checkpoint, write_sound

# Blocks that no test can run. Whoever adds one raises its document's number, and knows why.
NOT_RUN = {"README.md": 3, "docs/paper.md": 4, "docs/performance.md": 3, "docs/service.md": 3}
MARKERS = ("", "keeps running", "needs a daemon")
OTHER_LANGUAGES = {"", "text", "toml", "ini", "json"}


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


WITH_COMMANDS = [path for path in DOCUMENTS if any(block.is_run for block in blocks_of(path))]


@pytest.mark.parametrize("document", WITH_COMMANDS, ids=name_of)
def test_every_command_in_the_documentation_works(document: Path, tmp_path: Path) -> None:
    """Uses the default ports, as the documents do: no other daemon may be running beside it."""
    sounds = tmp_path / "my-sounds"
    sounds.mkdir()
    for seed, name in enumerate(("one.wav", "two.flac")):
        write_sound(sounds / name, melody(8.0, seed=seed))
    if "--out mine.safetensors" not in document.read_text(encoding="utf-8"):
        tokens_checkpoint().save(tmp_path / "mine.safetensors")
    with session_in(tmp_path) as session:
        work_through(document, session)


def test_no_more_blocks_than_agreed_are_left_out() -> None:
    left_out = {name_of(path): sum(b.marker.startswith("not run:") for b in blocks_of(path)) for path in DOCUMENTS}
    assert {name: count for name, count in left_out.items() if count} == NOT_RUN


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_block_has_a_known_language_and_marker(document: Path) -> None:
    for block in blocks_of(document):
        where = f"{name_of(document)}:{block.line}"
        assert block.language in LANGUAGES | OTHER_LANGUAGES, where
        if block.language in LANGUAGES:
            assert block.marker in MARKERS or re.fullmatch(r"not run: .{10,}", block.marker), where


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_no_block_escapes_the_reading(document: Path) -> None:
    assert document.read_text(encoding="utf-8").count("```") == 2 * len(blocks_of(document))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_inside_the_project_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), f"{name_of(document)} links to {target}"


def test_what_is_run_takes_a_few_steps_and_seconds_and_plays_to_nowhere() -> None:
    block = Block("sh", "noizenet train a --out m --minutes 4\nnoizenet daemon m --output file:a.wav\n", 1, "")
    assert block.program == ("noizenet train a --out m --steps 5\nnoizenet daemon --live off m --output file:a.wav\n")
    assert "noizenet daemon --live off --output null m" in Block("sh", "noizenet daemon m\n", 1, "").program
    block = Block("sh", "noizenet train a --seconds 0.3 --steps 40\nnoizenet evaluate m --seconds 60\n", 1, "")
    assert block.program == "noizenet train a --seconds 0.3 --steps 40\nnoizenet evaluate m --seconds 5\n"
