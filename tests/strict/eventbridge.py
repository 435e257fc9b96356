"""EventBridge's limits on PutEvents: some refuse the call, some only an entry."""

import json
from typing import Any

from tests.strict.refusal import invalid

ENTRIES_MAX = 10
CALL_BYTES_MAX = 1024 * 1024
TIME_BYTES = 14
ENTRY_BYTES_MAX = 262_144 - 1_024
"""EventBridge takes an entry of 1 MB and loses it: the queues behind membus' bus take 256 KB with the envelope."""

Entry = dict[str, Any]


class EventLimits:
    def check(self, body: dict[str, Any], context: dict[str, Any]) -> dict[str, Any] | None:
        """Take entries that EventBridge refuses out of `body`; return the answer where none is left.

        `context` belongs to the call: it carries the refused entries to `finish`.
        """
        entries: list[Entry] = body["Entries"]
        if len(entries) > ENTRIES_MAX:
            raise invalid("Member must have length less than or equal to 10")
        if sum(map(_entry_bytes, entries)) > CALL_BYTES_MAX:
            raise invalid("Total size of the entries in the request is over the limit.")
        refused = {place: code for place, entry in enumerate(entries) if (code := _refusal(entry))}
        context["membus_refused"] = refused
        body["Entries"] = [entry for place, entry in enumerate(entries) if place not in refused]
        return None if body["Entries"] else {"FailedEntryCount": 0, "Entries": []}

    def finish(self, parsed: dict[str, Any], context: dict[str, Any]) -> None:
        """Put the refused entries back into the answer, each in its place."""
        for place, code in sorted(context.get("membus_refused", {}).items()):
            parsed["Entries"].insert(place, {"ErrorCode": code, "ErrorMessage": code})
            parsed["FailedEntryCount"] += 1


def _entry_bytes(entry: Entry) -> int:
    texts = [entry.get("Source"), entry.get("DetailType"), entry.get("Detail"), *entry.get("Resources", [])]
    return sum(len(text.encode()) for text in texts if text) + (TIME_BYTES if "Time" in entry else 0)


def _refusal(entry: Entry) -> str | None:
    if _entry_bytes(entry) > ENTRY_BYTES_MAX:
        return "LostBehindTheBus"
    if entry.get("Source", "").startswith("aws."):
        return "NotAuthorizedForSourceException"
    try:
        detail = json.loads(entry.get("Detail", ""))
    except ValueError:
        return "MalformedDetail"
    return None if isinstance(detail, dict) else "MalformedDetail"
