"""The page: one HTML file that needs nothing but itself, for the screen, light or dark, and for paper."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        id: for links.
        body: HTML.
    """

    id: str
    title: str
    body: str


def page(title: str, lead: str, sections: Sequence[Section]) -> str:
    """Returns the whole page.

    Args:
        lead: HTML that stands before the table of contents.
    """
    style = (resources.files("noizenet_training.paper") / "page.css").read_text(encoding="utf-8")
    contents = "".join(f'<li><a href="#{section.id}">{escape(section.title)}</a></li>' for section in sections)
    bodies = "".join(
        f'<section id="{section.id}"><h2>{escape(section.title)}</h2>{section.body}</section>' for section in sections
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body>"
        f"<header><h1>{escape(title)}</h1>{lead}</header>"
        f"<nav><h2>Contents</h2><ol>{contents}</ol></nav><main>{bodies}</main></body></html>\n"
    )


def paragraph(text: str) -> str:
    """Returns plain text as a paragraph."""
    return f"<p>{escape(text)}</p>"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a table; cells are HTML. It scrolls by itself where the window is narrow."""
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table></div>' if rows else ""
    )


def figure(inside: str, caption: str) -> str:
    """Returns HTML with a caption under it; nothing of nothing."""
    return f"<figure>{inside}<figcaption>{escape(caption)}</figcaption></figure>" if inside else ""


def badge(word: str, kind: str) -> str:
    """Returns a word in a coloured frame; `kind` is yes, no or open."""
    return f'<span class="badge {kind}">{escape(word)}</span>'


def audio(data: bytes, media: str) -> str:
    """Returns a player of a sound file that lies in the page itself."""
    return f'<audio controls preload="none" src="data:{media};base64,{base64.b64encode(data).decode()}"></audio>'


def image(data: bytes, media: str, label: str) -> str:
    """Returns a picture that lies in the page itself."""
    encoded = base64.b64encode(data).decode()
    return f'<img alt="{escape(label, quote=True)}" src="data:{media};base64,{encoded}">'


def details(summary: str, inside: str) -> str:
    """Returns what is shown when it is asked for."""
    return f"<details><summary>{escape(summary)}</summary>{inside}</details>"


def code(text: str) -> str:
    """Returns a command or the like."""
    return f"<code>{escape(text)}</code>"
