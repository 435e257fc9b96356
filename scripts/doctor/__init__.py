"""`doctor`: look a deployed environment over, and say of whatever is not well what to do about it."""

from scripts.doctor.commands import register

__all__ = ["register"]
