"""How much each column counts: one configuration for every kind of memory.

Written by `make search-weights DATA=…` (tests/benchmarks/search): not edited by hand.
"""

WEIGHTS: dict[str, float] = {
    "words": 1.396,
    "session_share": 1.019,
    "phrase": 0.405,
    "meaning": 0.879,
    "words_before": 0.561,
    "words_before_that": 0.754,
    "words_after": 0.292,
    "words_after_that": 0.136,
    "session_words": 1.001,
    "meaning_before": 0.062,
    "meaning_before_that": -0.061,
    "meaning_after": 0.371,
    "meaning_after_that": -0.169,
    "session_meaning": 0.5,
    "speaker": 0.506,
    "by_model": -1.791,
    "by_model_of_summary": 1.773,
    "by_model_if_asked": 1.334,
    "tells_time": 0.577,
    "instructs": 1.36,
    "prefers_for_advice": 1.418,
    "asks": -0.247,
    "date": 1.949,
    "length": 1.71,
    "message_length": 0.527,
    "opening": 0.564,
    "sitting_again": -0.554,
}
MIDPOINT = 10.006
"""The log odds at which a passage is as likely evidence as not."""
