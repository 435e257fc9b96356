"""The environment variables of a function, read one by one when something first needs them."""

from collections.abc import Mapping


class Settings:
    """Variables by name."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def get_text(self, name: str, default: str | None = None) -> str:
        """Return the variable `name`.

        Raises:
            RuntimeError: it is unset or empty and has no default: an error of the deployment.
        """
        value = self._variables.get(name) or default
        if value is None:
            raise RuntimeError(f"the environment variable {name} is not set")
        return value

    def get_number(self, name: str) -> int:
        """Return the variable `name` as a whole number; raises as `get_text` does."""
        return int(self.get_text(name))
