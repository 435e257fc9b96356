"""`dlq list|show|redrive`: what membus gave up on, why, and the way back for it."""

from scripts.dlq.commands import register

__all__ = ["register"]
