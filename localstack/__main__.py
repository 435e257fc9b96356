"""`python -m localstack up|down|status|backend|init|terraform`."""

import sys

from localstack.home import LAYER

# Functions find the layer where Lambda puts it; a command finds it in the checkout, whatever PYTHONPATH says.
sys.path.append(str(LAYER))

from localstack.cli import main

sys.exit(main())
