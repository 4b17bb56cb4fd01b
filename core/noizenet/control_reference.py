"""The tables of docs/control.md, made from the vocabulary.

python -m noizenet.control_reference                    prints them
python -m noizenet.control_reference docs/control.md    renews them in the file, between its two marks
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from noizenet.parameter import Parameter
from noizenet.protocol import COMMANDS, PARAMETER_FIELDS, PARAMETERS, STATUS_FIELDS, Command

BEGIN = "<!-- made by python -m noizenet.control_reference: begin -->\n"
END = "<!-- made by python -m noizenet.control_reference: end -->\n"


def markdown() -> str:
    """Returns the sections on parameters, commands and replies."""
    parts = [
        "## Parameters\n",
        _table(
            ("Parameter", "Values", "Default", "For", "Follows within", "Meaning"),
            map(_row, PARAMETERS.values()),
        ),
        "## Commands\n",
        _table(("Command", "Arguments", "Carried out", "Meaning"), map(_command_row, COMMANDS.values())),
        "### What `/status.reply` carries, in this order\n",
        _table(("Field", "Meaning"), ((f"`{name}`", doc) for name, doc in STATUS_FIELDS.items())),
        "### What each `/parameters.reply` carries, in this order\n",
        ", ".join(f"`{name}`" for name in PARAMETER_FIELDS) + ".\n",
    ]
    return "\n".join(parts)


def renew(text: str) -> str:
    """Returns a document with what lies between its marks made anew.

    Raises:
        ValueError: it doesn't have both marks.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no two lines {BEGIN.strip()!r} and {END.strip()!r}")
    return f"{before}{BEGIN}\n{markdown()}\n{END}{after}"


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [titles, ("---",) * len(titles), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


def _row(parameter: Parameter) -> tuple[str, ...]:
    unit = f" {parameter.unit}" if parameter.unit else ""
    if parameter.kind == "choice":
        values = ", ".join(f"`{choice}`" for choice in parameter.choices) + ", or their index from 0"
        default = f"`{parameter.default}`"
    elif parameter.kind == "bool":
        values, default = "0 or 1", str(int(parameter.default))
    else:
        values, default = (
            f"{parameter.minimum:g} to {parameter.maximum:g}{unit}",
            f"{parameter.default:g}{unit}",
        )
    scope, follows = ("each voice", "the next step") if parameter.scope == "voice" else ("all together", "at once")
    if parameter.smoothing_s:
        follows = f"{1000 * parameter.smoothing_s:g} ms"
    return f"`{parameter.name}`", values, default, scope, follows, parameter.doc


def _command_row(command: Command) -> tuple[str, ...]:
    names = (f"[`{a.name}`]" if a.optional else f"`{a.name}`" for a in command.arguments)
    arguments = " ".join(names)
    explained = "; ".join(f"{argument.name}: {argument.doc}" for argument in command.arguments)
    when = "at once" if command.synchronous else "aside, while the sound goes on"
    return f"`{command.name}`", arguments, when, command.doc + (f" ({explained})" if explained else "")


def main(arguments: list[str]) -> None:
    """Prints the tables, or renews them in the file named."""
    if not arguments:
        print(markdown(), end="")
        return
    path = Path(arguments[0])
    path.write_text(renew(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
