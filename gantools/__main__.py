"""python -m gantools: the command line."""

import sys

from gantools.cli import main

sys.exit(main())
