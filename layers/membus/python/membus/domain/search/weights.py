"""How much each column counts: one configuration for every kind of memory.

Written by `make search-weights DATA=…` (tests/benchmarks/search): not edited by hand.
"""

WEIGHTS: dict[str, float] = {
    "words": 1.448,
    "session_share": 0.989,
    "phrase": 0.438,
    "meaning": 0.912,
    "words_before": 0.605,
    "words_before_that": 0.761,
    "words_after": 0.333,
    "words_after_that": 0.125,
    "session_words": 0.954,
    "meaning_before": 0.114,
    "meaning_before_that": -0.067,
    "meaning_after": 0.428,
    "meaning_after_that": -0.16,
    "session_meaning": 0.491,
    "speaker": 0.538,
    "by_model": -1.689,
    "by_model_of_summary": 1.665,
    "by_model_if_asked": 1.287,
    "early_of_overview": 1.084,
    "tells_time": 0.53,
    "instructs": 1.356,
    "prefers_for_advice": 1.446,
    "asks": -0.257,
    "date": 1.922,
    "length": 1.59,
    "message_length": 0.707,
    "opening": 0.651,
    "sitting_again": -0.56,
}
MIDPOINT = 10.21
"""The log odds at which a passage is as likely evidence as not."""
