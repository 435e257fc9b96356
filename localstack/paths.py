"""Where the checkout keeps its sources, and the tools that every home of a stack shares."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
LAYER = REPOSITORY / "layers" / "membus" / "python"
LOCAL = REPOSITORY / ".local"
EMULATOR_VENV = LOCAL / "venvs" / "emulator"
PROGRAMS = LOCAL / "bin"
ENVIRONMENT = REPOSITORY / "terraform" / "environments" / "local"
HOST_BUILD = REPOSITORY / "dist" / "host"
