"""How large a message of the bus may be, counted as SQS counts it: body and attributes together."""

from membus.core.event import Event

MESSAGE_BYTES_MAX = 262_144
"""The size of membus' queues. EventBridge takes an entry of 1 MB, and loses what fits no queue."""
WRAPPING_BYTES = 1_024
"""Room for what EventBridge writes around an event: its id, account, region, time, type and source."""
EVENT_TOO_LARGE = "EventTooLarge"
"""The code by which the bus refuses an event that no queue would take; it is no use to send it again."""


def is_too_large(event: Event) -> bool:
    """Say whether the event, with its wrapping, fits no queue behind the bus."""
    return len(event.model_dump_json(by_alias=True).encode()) > MESSAGE_BYTES_MAX - WRAPPING_BYTES


def cut_to_bytes(text: str, bytes_max: int) -> str:
    """Return the beginning of a text that takes so many bytes, cut between two characters."""
    return text.encode()[: max(0, bytes_max)].decode(errors="ignore")
