"""The events of the demo's week that the model reads, that rules read, and that are only recorded."""

from membus.core.event import Event
from membus.facts.rules import needs_extraction, needs_model
from scripts.demo.__main__ import WEEK
from scripts.demo.sources import read_source
from tests.benchmarks.table import Table


def measure() -> Table:
    """Count each id once: a copy of an event costs nothing."""
    copies = [Event.model_validate({"tenant_id": "demo"} | event) for event in read_source(WEEK).events]
    events = {event.event_id: event for event in copies}.values()
    read_by_model = sum(needs_model(event) for event in events)
    by_rules = sum(needs_extraction(event) for event in events) - read_by_model
    counts = {
        "read by the model": read_by_model,
        "read by rules alone": by_rules,
        "recorded, nothing to read": len(events) - read_by_model - by_rules,
        "without tokens": len(events) - read_by_model,
    }
    rows = [(what, str(count), f"{count / len(events):.1%}") for what, count in counts.items()]
    return Table(f"The sample week: {len(events)} events", ("what", "events", "share"), rows)
