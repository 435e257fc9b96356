"""`python -m scripts`: the operators' commands."""

import sys

from scripts.cli import main

sys.exit(main())
