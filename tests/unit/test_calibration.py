"""membus.conversations.window.

The estimate follows what the model counts, and the true count never passes the budget.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from functions.chat.context import PROMPT_TOKENS_MAX
from localstack.model.tokens import count
from membus.conversations.conversation import ConversationCounters, TokenRatio
from membus.conversations.window import RATIO_MAX, RATIO_MIN, WINDOW_TOKENS, ratio_or_default, update_ratio
from membus.core.tokens import TokenUsage, estimate_tokens
from membus.llm.prompt import Prompt
from tests.factories import a_message
from tests.support.contexts import context

if TYPE_CHECKING:
    from membus.conversations.conversation import Message

TEXTS = {
    "english": "We walked along the river for an hour, and then it began to rain, so we hid in a small bookshop. ",
    "german": "Die Geschwindigkeitsbegrenzung auf der Bundesautobahn wurde vorübergehend aufgehoben, überraschend. ",
    "chinese": "我们沿着河边走了一个小时,然后开始下雨,于是我们躲进了一家小书店,买了三本旧书。",
    "code": Path("layers/membus/python/membus/conversations/window.py").read_text("utf-8")[:400],
    "json": '{"order_id": "123-1234567-1234567", "items": [{"sku": "B0C1234567", "qty": 2, "price": 19.99}]}, ',
    "emoji": "Great 🎉🎉 see you 🕗 tomorrow 👍🏽 bring 🍕 and 🥗 🙏 ",
}


def counted(prompt: Prompt) -> int:
    """Return what the model's own tokenizer makes of the prompt, with the frame that it has for each message."""
    said = sum(count(said.text) + 4 for said in prompt.messages)
    return said + sum(count(block.text) for block in prompt.system)


@pytest.mark.parametrize("language", TEXTS)
def test_the_true_count_never_passes_the_budget(language: str) -> None:
    """Talk until windows were cut, each answer telling what the model counted.

    Nothing else is known of it.
    """
    piece, rate = TEXTS[language], None
    said: list[Message] = []
    for turn in range(60):
        counters = ConversationCounters(tokens=sum(message.tokens + 4 for message in said), rate=rate)
        made = context(messages=said, message=piece, counters=counters)
        said = list(made.window)
        true = counted(made.prompt)

        assert true <= PROMPT_TOKENS_MAX
        assert sum(count(message.content) + 4 for message in said) <= WINDOW_TOKENS
        usage = TokenUsage(input=true // 2, cache_read=true - true // 2, output=9)
        rate = update_ratio(rate, "m", estimated=made.estimated, usage=usage)
        for role in ("user", "assistant"):
            text = f"{turn} {piece * 4}"
            tokens = estimate_tokens(text)
            said.append(a_message(text, role=role, tokens=tokens, message_id=f"{turn:025d}{role[0]}"))


@pytest.mark.parametrize("language", ["english", "code", "json"])
def test_a_calibrated_estimate_is_close(language: str) -> None:
    text = TEXTS[language] * 20
    rate = update_ratio(
        None, "m", estimated=estimate_tokens(text), usage=TokenUsage(input=count(text), output=1)
    )

    assert estimate_tokens(TEXTS[language] * 7) * ratio_or_default(rate) == pytest.approx(
        count(TEXTS[language] * 7), rel=0.1
    )


def test_a_ratio_rises_at_once_and_falls_slowly() -> None:
    high = update_ratio(
        TokenRatio(model="m", ratio=1.0), "m", estimated=100, usage=TokenUsage(input=150, output=1)
    )
    lower = update_ratio(high, "m", estimated=100, usage=TokenUsage(input=100, output=1))

    assert (high.ratio, lower.ratio) == (1.5, 1.4)


@pytest.mark.parametrize(("reported", "ratio"), [(0, RATIO_MIN), (10**9, RATIO_MAX)])
def test_no_report_moves_it_beyond_its_bounds(reported: int, ratio: float) -> None:
    assert update_ratio(None, "m", estimated=100, usage=TokenUsage(input=reported, output=1)).ratio == ratio


def test_another_model_begins_anew() -> None:
    old = TokenRatio(model="old", ratio=1.9)

    assert update_ratio(old, "new", estimated=100, usage=TokenUsage(input=110, output=1)) == TokenRatio(
        model="new", ratio=1.1
    )
