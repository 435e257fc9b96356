"""Whose words they are: another's, the assistant's, memory's, a character's, or not meant at all."""

import re

from membus.domain.utterance.evidence import Evidence

_RECALLED = re.compile(
    r"\(since \d{4}-\d\d-\d\d|</?profile>|^\s*-\s+[a-z_]+(?:\.[a-z0-9_-]+)+: |\[(?:memory|memories|facts)\]"
    r"|\b(?:you|u)(?: \w+)? (?:said|told me|mentioned|wrote|noted|remembered|reminded me|have on file)\b"
    r"|\baccording to your\b|\b(?:what|all|everything) you (?:know|remember|have) (?:about|on|of) me\b"
    r"|\b(?:known|stored|remembered|saved) (?:facts|memories)\b",
    re.MULTILINE,
)
_RECORD = re.compile(r"\buser (?:likes|loves|lives|is|has|prefers|works|wants|hates|said)\b")
_LABEL = re.compile(
    r"^\W*(?:(?P<machine>assistant|ai|bot|chatgpt|gpt[\w.-]*|claude|gemini|copilot|siri|alexa|model|agent|system)"
    r"|user|me|human|customer|q)\s*:",
    re.MULTILINE,
)
_PAIRS = re.compile(
    r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»|「([^」]+)」|‘([^’]+)’|(?:(?<=\s)|^)'([^']+)'(?=\W|$)"
)
_SPEAKS = re.compile(r"\b(?:i|i'm|i've|my|we|me|yo|mi|vivo|soy|je|j'\w+|ich|io|eu|moro|ik|я)\b|\bj'|我|私")
_FENCE = re.compile(r"```")
_TASK = re.compile(
    r"\b(?:translate|paraphrase|rephrase|rewrite|summari[sz]e|proof-?read|spell-?check)\b"
    r"|\b(?:correct|fix|check|edit|improve) (?:this|the following|my)"
    r" (?:sentence|text|paragraph|grammar|letter|e-?mail)\b"
    r"|\b(?:lyrics|excerpt|song|poem|quote|template|snippet|payload)\b[^\n]{0,40}:|\bin the (?:sentence|phrase|text)\b"
    r"|\b(?:example|sample)(?: \w+){0,2}:|\bsomething like:|\bexample (?:e-?mail|sentence|text|letter|message)\b"
    r"|\bhow (?:do|would) (?:you|i|we) say\b|\bwie sagt man\b|\bcomment (?:dit-on|traduire)\b|\bcómo se dice\b"
    r"|\b(?:traduce|traduis|traduza|traduci|übersetze|vertaal)\b|翻译|переведи"
)
_CODE_LINE = re.compile(
    r"^\s*(?:>|[{\[]|\"[\w.-]+\"\s*:|[a-z_][\w.]*\s*=(?!=)|(?:let|const|var) \w+ ?=|(?:def|class) \w+ ?[(:]|print\()"
)
_PLAYS = re.compile(
    r"\brole-? ?play\w*|\bpretend\b|\bmy character\b|\bin character\b|\bd&d\b|\bdungeons\b|\blarp\w*"
    r"|(?<!\bi )\bact as (?:an?|the|my|if)\b"
    r"|\bin (?:my|our|this|the) (?:novel|story|book|game|screenplay|script|dream|film|play)\b"
    r"|\bmake-believe\b|^\s*\*[^*\n]{2,60}\*|\bonce upon a time\b",
    re.MULTILINE,
)
_JOKES = re.compile(
    r"(?:^|\s)/s(?:\s|$)|\byeah,? right\b|\boh,? sure\b|\b(?:just )?(?:kidding|joking)\b|\bjk\b|\(sarcasm\)|#sarcasm"
    r"|\bsaid no ?(?:one|body)\b|(?:\.\.\.|…|\s-+)\s*not\s*[!.]|^\W*not\s*!|🙄|🙃|\bas if\s*!",
    re.MULTILINE,
)
_OWN_WORDS = re.compile(
    r"\b(?:i|we)(?:'ve| have)?(?: \w+){0,2} (?:say|said|told|tell|write|wrote|think|thought|claim(?:ed)?)\b"
)
_REPORTS = re.compile(
    r"(?<!let's )\b(?:says?|said|saying|tells?|told|telling|wrote|writes|claims?|claimed|thinks?|believes?"
    r"|insists?|reckons?|jokes?|joked|swears?)\b(?! (?:hi|hello|yes|no|so|thanks)\b)|\baccording to (?!me\b)"
    r"|\b(?:dice|dit|sagt|disse|zegt) que?\b"
)


def is_recalled(evidence: Evidence) -> bool:
    """Whether memory is read back: what it says already is no news about the user."""
    sentence = evidence.speech[slice(*evidence.sentence)]
    return bool(_RECALLED.search(evidence.lead[-400:] + evidence.after[:40]) or _RECORD.search(sentence))


def is_assistant_text(evidence: Evidence) -> bool:
    """Whether the value stands in a turn of the assistant that was pasted into the text."""
    labels = [*_LABEL.finditer(evidence.lead)]
    return bool(labels and labels[-1]["machine"])


def is_quoted(evidence: Evidence) -> bool:
    """Whether the value stands in another's text.

    Quotation marks around a statement, code, a text to work on.

    Marks around a title or a name alone quote nobody.
    """
    start, end = evidence.value
    marked = (pair for pair in _PAIRS.finditer(evidence.speech) if pair.start() < start and end <= pair.end())
    if any(_SPEAKS.search(next(filter(None, pair.groups()))) for pair in marked):
        return True
    line = evidence.speech[evidence.speech.rfind("\n", 0, start) + 1 : end]
    fenced = (
        len(_FENCE.findall(evidence.lead)) % 2 == 1 or evidence.lead.rpartition("\n")[2].count("`") % 2 == 1
    )
    return bool(fenced or _CODE_LINE.match(line) or _TASK.search(evidence.lead))


def is_role_play(evidence: Evidence) -> bool:
    return _PLAYS.search(evidence.lead) is not None


def is_sarcastic(evidence: Evidence) -> bool:
    return _JOKES.search(f"{evidence.before}\n{evidence.after}\n{evidence.follow_up}") is not None


def is_hearsay(evidence: Evidence) -> bool:
    """Whether somebody else says so; what the speaker said themselves is their own word."""
    said = re.split(r"[,;]|\bbut\b", evidence.before)[-1]
    return _REPORTS.search(_OWN_WORDS.sub("", said)) is not None
