"""`python -m scripts`: the operators' commands."""

import sys

try:
    from scripts.cli import main
except ModuleNotFoundError as error:
    run = "PYTHONPATH=.:layers/membus/python .venv/bin/python -m scripts"
    sys.exit(f"error: no {error.name}: `make setup`, then {run}")
except KeyboardInterrupt:
    sys.exit(130)

sys.exit(main())
