"""`python -m noizenet`: the same as the `noizenet` command."""

import sys

from noizenet.cli import main

if __name__ == "__main__":
    sys.exit(main())
