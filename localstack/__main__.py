"""`python -m localstack up|down|status|terraform`."""

import sys

from localstack.cli import main

sys.exit(main())
