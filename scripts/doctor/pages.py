"""Which runbook an alarm is for: its name without prefix ends like this."""

ENDINGS = (
    ("-rule-dlq-not-empty", "{route}-rule-dlq-not-empty"),
    ("-dlq-not-empty", "{route}-dlq-not-empty"),
    ("-not-empty", "{route}-not-empty"),
    ("-falls-behind", "{route}-falls-behind"),
    ("-failedinvocations", "route-undelivered"),
    ("-invocationsfailedtobesenttodlq", "route-undelivered"),
    ("-at-its-ceiling", "{route}-at-its-ceiling"),
    ("-wait", "{route}-wait"),
    ("-throttled", "{route}-throttled"),
    ("archive-problems", "archive"),
    ("api-failures", "api-failures"),
    ("socket-failures", "socket-failures"),
    ("socket-refusals", "socket-failures"),
    ("-errors", "function-errors"),
    ("-throttles", "function-throttles"),
    ("-slow", "function-slow"),
    ("-behind", "index-behind"),
)
SHARED = {
    "extract-surplus-falls-behind": "floods",
    "export-falls-behind": "transfer",
    "export-dlq-not-empty": "transfer",
    "export-rule-dlq-not-empty": "transfer",
    "erase-dlq-not-empty": "erase-falls-behind",
    "erase-rule-dlq-not-empty": "erase-falls-behind",
    "summarize-dlq-not-empty": "summarize-falls-behind",
    "summarize-rule-dlq-not-empty": "summarize-falls-behind",
}


def find_runbook(alarm: str) -> str | None:
    """Return the page below docs/runbooks for an alarm's name without its environment, None where there is none."""
    for ending, page in ENDINGS:
        if alarm.endswith(ending):
            named = page.format(route=alarm.removesuffix(ending))
            return SHARED.get(named, named)
    return None
