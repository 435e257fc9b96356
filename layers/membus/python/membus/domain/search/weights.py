"""How much each column counts: one configuration for every kind of memory.

Written by `make search-weights DATA=…` (tests/benchmarks/search): not edited by hand.
"""

WEIGHTS: dict[str, float] = {
    "words": 1.447,
    "session_share": 0.987,
    "phrase": 0.431,
    "meaning": 0.909,
    "words_before": 0.597,
    "words_before_that": 0.762,
    "words_after": 0.326,
    "words_after_that": 0.131,
    "session_words": 0.954,
    "meaning_before": 0.115,
    "meaning_before_that": -0.066,
    "meaning_after": 0.434,
    "meaning_after_that": -0.159,
    "session_meaning": 0.488,
    "speaker": 0.538,
    "by_model": -1.608,
    "by_model_of_summary": 1.582,
    "early_of_overview": 1.087,
    "tells_time": 0.556,
    "instructs": 1.354,
    "prefers_for_advice": 1.426,
    "asks": -0.257,
    "date": 1.918,
    "length": 1.575,
    "message_length": 0.721,
    "opening": 0.643,
    "sitting_again": -0.559,
}
MIDPOINT = 10.192
"""The log odds at which a passage is as likely evidence as not."""
