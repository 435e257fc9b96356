"""How much each column counts: one configuration for every kind of memory.

Written by `make search-weights DATA=…` (tests/benchmarks/search): not edited by hand.
"""

WEIGHTS: dict[str, float] = {
    "words": 1.449,
    "session_share": 0.988,
    "phrase": 0.435,
    "meaning": 0.907,
    "words_before": 0.599,
    "words_before_that": 0.762,
    "words_after": 0.325,
    "words_after_that": 0.123,
    "session_words": 0.952,
    "meaning_before": 0.115,
    "meaning_before_that": -0.067,
    "meaning_after": 0.434,
    "meaning_after_that": -0.157,
    "session_meaning": 0.488,
    "speaker": 0.539,
    "by_model": -1.608,
    "by_model_of_summary": 1.583,
    "early_of_overview": 1.085,
    "tells_time": 0.529,
    "instructs": 1.353,
    "prefers_for_advice": 1.419,
    "asks": -0.256,
    "date": 1.919,
    "length": 1.581,
    "message_length": 0.719,
    "opening": 0.653,
    "sitting_again": -0.56,
}
MIDPOINT = 10.205
"""The log odds at which a passage is as likely evidence as not."""
