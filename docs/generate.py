"""Writes the generated parts of the documentation anew: `make docs`.

A part stands between the two comments `made by python -m MODULE: begin` and `... end`, and is what MODULE
prints.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PART = re.compile(r"(<!-- made by python -m (\S+): begin -->\n).*?(<!-- made by python -m \2: end -->)", re.DOTALL)


def regenerate(text: str) -> str:
    """Returns a document with every generated part as its module prints it now."""
    return PART.sub(lambda part: f"{part[1]}\n{_printed(part[2])}\n\n{part[3]}", text)


def _printed(module: str) -> str:
    command = [sys.executable, "-m", module]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Rewrites README.md and docs/*.md where a generated part has changed, and says which."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        old = path.read_text(encoding="utf-8")
        new = regenerate(old)
        if new != old:
            path.write_text(new, encoding="utf-8")
            print(f"{path.relative_to(ROOT)} written anew")


if __name__ == "__main__":
    main()
