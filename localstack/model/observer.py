"""The observer: reads the `<events>` block of an extraction prompt and answers with facts."""

import json
import re
from typing import Any


def events_in(text: str) -> list[dict[str, Any]] | None:
    block = re.search(r"<events>\n(.*?)\n?</events>", text, re.DOTALL)
    return [json.loads(line) for line in block[1].splitlines() if line.strip()] if block else None


def observe(events: list[dict[str, Any]]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for event in events:
        if city := re.search(r"\bI live in ([A-Z]\w+)", event["text"]):
            found.append(
                {
                    "event_id": event["event_id"],
                    "subject": "user",
                    "attribute": "home.city",
                    "value": city[1],
                    "quote": city[0],
                    "kind": "place",
                    "stance": "stated",
                }
            )
    return found
