"""`python -m scripts`: the operators' commands."""

import sys

try:
    from scripts.cli import main
except ModuleNotFoundError as error:
    sys.exit(
        f"error: no {error.name}: `make setup`, then PYTHONPATH=.:layers/membus/python .venv/bin/python -m scripts"
    )
except KeyboardInterrupt:
    sys.exit(130)

sys.exit(main())
