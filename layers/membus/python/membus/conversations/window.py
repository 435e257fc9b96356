"""The recent window: append-only until it is full, then cut to its half at a checkpoint of the summaries.

Also when a summary is due and what it tells of, and how far a model's token count lies from our estimate.
"""

from collections.abc import Iterable, Sequence

from membus.conversations.conversation import ConversationCounters, Message, TokenRatio, WindowStart
from membus.conversations.prompt_blocks import fence_block
from membus.conversations.summary import Chapter, SummaryCheckpoint
from membus.core.tokens import MESSAGE_OVERHEAD, TokenUsage
from membus.llm.prompt import ChatMessage

DUE_TOKENS = 8_000
DUE_MESSAGES = 40
"""Twenty turns."""
TURN_TOKENS = 1_500
"""A message of 500 and an answer of 1,000: a summary is due before the next turn passes 8,000."""
WINDOW_KEPT_TOKENS = 4_000
TURNS_BETWEEN_CUTS = 5
"""A cut has what it keeps written to the provider's cache anew: it is to last so many turns."""
SEGMENT_TOKENS = 8_000
"""A model is given no more at once, whatever has piled up."""
ROLLUP_CHAPTERS = 4
"""So many chapters of one level become one of the next: at most three of each stand side by side."""


def needs_summary(*, tokens: int, messages: int) -> bool:
    """Whether so much that no summary covers calls for one."""
    return tokens + TURN_TOKENS > DUE_TOKENS or messages >= DUE_MESSAGES


def next_segment(messages: Sequence[Message]) -> Sequence[Message]:
    """Return the turns that the next summary tells of: whole ones from the oldest, never the newest.

    What presses by tokens is covered until the window's half is left, or less where turns are long; what
    presses by turns to the turn before the newest. Where two devices' turns run into each other, no border
    parts a question from its answer.
    """
    total = sum(map(message_tokens, messages))
    keep = _tokens_to_keep(messages, total) if total + TURN_TOKENS > DUE_TOKENS else 0
    end, taken = 0, 0
    for border in _turn_starts(messages):
        size = sum(map(message_tokens, messages[end:border]))
        if end and taken + size > SEGMENT_TOKENS:
            break
        end, taken = border, taken + size
        if keep and total - taken <= keep:
            break
    return messages[:end]


def message_tokens(message: Message) -> int:
    """Return the message's tokens with its frame."""
    return message.tokens + MESSAGE_OVERHEAD


def select_rollup(chapters: Sequence[Chapter]) -> Sequence[Chapter]:
    """Return the oldest chapters that are due to become one, of the lowest such level; or none."""
    for level in sorted({chapter.level for chapter in chapters}):
        same_level = [chapter for chapter in chapters if chapter.level == level]
        if len(same_level) >= ROLLUP_CHAPTERS:
            return same_level[:ROLLUP_CHAPTERS]
    return ()


def _tokens_to_keep(messages: Sequence[Message], total: int) -> int:
    """Return the tokens to leave uncovered: half a window, or less so that the next turns fit."""
    turns = max(sum(message.role == "user" for message in messages), 1)
    return min(WINDOW_KEPT_TOKENS, max(DUE_TOKENS - TURNS_BETWEEN_CUTS * total // turns, TURN_TOKENS))


def _turn_starts(messages: Sequence[Message]) -> list[int]:
    """Return the places where a turn begins and the one before it is answered; the end is none of them."""
    return [
        place
        for place in range(1, len(messages))
        if messages[place].role == "user" and messages[place - 1].role == "assistant"
    ]


WINDOW_TOKENS = 8_000
WINDOW_MESSAGES_MAX = 1_600
"""No window holds more: a message takes at least five tokens with its frame."""
TURNS_WHOLE = 3
"""The results of tools in the newest turns stay whole when the window is cut."""


def plan_window_start(counters: ConversationCounters, *, ratio: float) -> WindowStart:
    """Return where the window of the next prompt begins, by the counters alone: no message is read for it.

    A full window moves to the oldest checkpoint that leaves half of it, else to the newest that leaves less
    than all. Where none does, it begins where it did: `fit_window` cuts it without cover. A window that was
    cut so moves on as soon as a summary has caught up with it.
    """

    def size_behind(tokens_before: int) -> float:
        return (counters.tokens - tokens_before) * ratio

    if counters.cut.uncovered:
        caught_up = [
            each for each in counters.borders if each.until and each.until >= (counters.cut.after or "")
        ]
        if caught_up and size_behind(caught_up[0].tokens) <= WINDOW_TOKENS:
            return _start_at(caught_up[0])
    if size_behind(counters.cut.tokens) <= WINDOW_TOKENS:
        return counters.cut
    reached = [each for each in counters.borders if each.tokens > counters.cut.tokens]
    halves = [each for each in reached if size_behind(each.tokens) <= WINDOW_KEPT_TOKENS]
    fitting = halves[:1] or [each for each in reached[-1:] if size_behind(each.tokens) <= WINDOW_TOKENS]
    return _start_at(fitting[0]) if fitting else counters.cut


def fit_window(
    messages: Sequence[Message], cut: WindowStart, before: ConversationCounters, *, ratio: float
) -> tuple[WindowStart, list[Message]]:
    """Return the cut and its window, oldest first, tool results stubbed as far as the cut says.

    At every new cut old results become stubs, and are counted anew. A window that has outgrown its budget
    although no summary covers its beginning is left with stubs, where they leave no more than its half; else
    it loses whole turns there, and the cut says `uncovered`.
    """
    kept = [message for message in messages if message.status not in {"pending", "refused"}]
    if cut != before.cut:
        cut = _with_stubs(cut, kept)
    window = [render_message(message, cut) for message in kept]
    if sum(map(message_tokens, window)) * ratio > WINDOW_TOKENS:
        cut = _with_stubs(cut, kept)
        window = [render_message(message, cut) for message in kept]
        if sum(map(message_tokens, window)) * ratio > WINDOW_KEPT_TOKENS:
            cut, window = _cut_uncovered(cut, window, before, ratio=ratio)
    while window and window[0].role != "user":
        window.pop(0)
    return cut, window


def render_message(message: Message, cut: WindowStart) -> Message:
    """Return the message as the window shows it: results up to the cut's place are stubs, counted anew."""
    if not message.steps or cut.stubs_until is None or message.message_id > cut.stubs_until:
        return message
    steps = tuple(step.with_stubs() for step in message.steps)
    before = sum(step.estimate_tokens() for step in message.steps)
    saved = before - sum(step.estimate_tokens() for step in steps)
    return message.model_copy(update={"steps": steps, "tokens": max(message.tokens - saved, 1)})


def is_shared(messages: Iterable[Message], author: str) -> bool:
    """Whether anybody but `author` speaks in messages: then a prompt tells who says what."""
    return any(message.role == "user" and message.author != author for message in messages)


def name_author(author: str, text: str) -> str:
    """Return a text with its author in front. Ids hold no brackets, so the first pair names who speaks."""
    return f"[{author}] {text}"


def day_marks(window: Iterable[Message]) -> list[str]:
    """Return for each message what stands in front of it: on which day, UTC, it was said, where a day begins."""
    marks: list[str] = []
    shown = ""
    for message in window:
        day = f"{message.created_at:%A, %Y-%m-%d}"
        begins = message.role == "user" and day != shown
        marks.append(f"{fence_block('said_on', [day])}\n\n" if begins else "")
        shown = day if begins else shown
    return marks


def to_chat_messages(window: Sequence[Message], *, named: bool = False) -> list[ChatMessage]:
    """Return the window's messages for a prompt, each call before its result, wherever the window begins.

    `named` puts the author in front of each person's message; where a day begins, the day stands there.
    """
    said: list[ChatMessage] = []
    for message, mark in zip(window, day_marks(window), strict=True):
        for step in message.steps:
            said.append(ChatMessage(role="assistant", text=step.text, calls=step.calls))
            said.append(ChatMessage(role="user", results=step.results))
        is_named = named and message.role == "user"
        text = name_author(message.author, message.content) if is_named else message.content
        said.append(ChatMessage(role=message.role, text=f"{mark}{text}"))
    return said


def _start_at(checkpoint: SummaryCheckpoint) -> WindowStart:
    return WindowStart(version=checkpoint.version, after=checkpoint.until, tokens=checkpoint.tokens)


def _with_stubs(cut: WindowStart, messages: Sequence[Message]) -> WindowStart:
    questions = [place for place, message in enumerate(messages) if message.role == "user"]
    if len(questions) <= TURNS_WHOLE:
        return cut
    place = questions[-TURNS_WHOLE]
    stubbed = cut.model_copy(update={"stubs_until": messages[place - 1].message_id})
    saved = sum(
        message_tokens(render_message(each, cut)) - message_tokens(render_message(each, stubbed))
        for each in messages[:place]
    )
    return stubbed.model_copy(update={"tokens": cut.tokens + saved})


def _cut_uncovered(
    cut: WindowStart, window: list[Message], before: ConversationCounters, *, ratio: float
) -> tuple[WindowStart, list[Message]]:
    """Return a cut in whole turns that no summary covers, and what it leaves of the window."""
    left = _newest_turns(window, WINDOW_KEPT_TOKENS / ratio, WINDOW_TOKENS / ratio)
    dropped = [message for message in window if not left or message.message_id < left[0].message_id]
    moved = {
        "version": before.summary_checkpoint.version or cut.version,
        "after": dropped[-1].message_id if dropped else cut.after,
        "tokens": cut.tokens + sum(map(message_tokens, dropped)),
        "uncovered": True,
    }
    return cut.model_copy(update=moved), left


def _newest_turns(window: Sequence[Message], budget: float, most: float) -> list[Message]:
    """Return whole turns from the newest back, as many as fit; the newest alone may take up to `most`."""
    kept: list[Message] = []
    turn: list[Message] = []
    for message in reversed(window):
        turn.insert(0, message)
        if message.role != "user":
            continue
        if sum(map(message_tokens, (*turn, *kept))) > (budget if kept else most):
            break
        kept, turn = [*turn, *kept], []
    return kept


RATIO_MIN, RATIO_MAX = 0.8, 2.0
"""An estimate is never off by more; a report beyond that counts something that we did not send."""
RATIO_UNKNOWN = 1.2
"""Until a model has answered in this conversation, whose first prompt is far below the ceiling anyway."""
_RATIO_DECAY = 0.2
"""A ratio rises at once and falls by a fifth of the way: to send too little costs less than too much."""


def update_ratio(rate: TokenRatio | None, model: str, *, estimated: int, usage: TokenUsage) -> TokenRatio:
    """Return the rate after an answer of `model` to a prompt of so many estimated tokens."""
    counted = usage.input + usage.cache_read + usage.cache_write
    seen = min(max(counted / max(estimated, 1), RATIO_MIN), RATIO_MAX)
    if rate is None or rate.model != model or seen >= rate.ratio:
        return TokenRatio(model=model, ratio=round(seen, 4))
    return TokenRatio(model=model, ratio=round(rate.ratio + (seen - rate.ratio) * _RATIO_DECAY, 4))


def ratio_or_default(rate: TokenRatio | None) -> float:
    return rate.ratio if rate else RATIO_UNKNOWN
