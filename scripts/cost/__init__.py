"""`cost estimate`.

What a month would cost, from counted work and dated list prices, before anything is deployed.
"""

from scripts.cost.commands import register

__all__ = ["register"]
