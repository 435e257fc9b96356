"""Attribution: whose words they are (an assistant's, another's, memory's), and whom they are about."""

import re
from typing import Literal

from membus.facts.validation.evidence import Evidence
from membus.facts.validation.persons import COMPOUND_ELSEWHERE, FIRST, PEOPLE, THIRD

_RECALLED = re.compile(
    r"\(since \d{4}-\d\d-\d\d|</?profile>|^\s*-\s+[a-z_]+(?:\.[a-z0-9_-]+)+: |\[(?:memory|memories|facts)\]"
    r"|\b(?:you|u)(?: \w+)? (?:said|told me|mentioned|wrote|noted|remembered|reminded me|have on file)\b"
    r"|\baccording to your\b|\b(?:what|all|everything) you (?:know|remember|have) (?:about|on|of) me\b"
    r"|\b(?:known|stored|remembered|saved) (?:facts|memories)\b",
    re.MULTILINE,
)
_RECORD = re.compile(r"\buser (?:likes|loves|lives|is|has|prefers|works|wants|hates|said)\b")
_LABEL = re.compile(
    r"^\W*(?:(?P<machine>assistant|ai|bot|chatgpt|gpt[\w.-]*|claude|gemini|copilot|siri|alexa|model"
    r"|agent|system)"
    r"|user|me|human|customer|q)\s*:",
    re.MULTILINE,
)
_PAIRS = re.compile(
    r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»|「([^」]+)」|‘([^’]+)’|(?:(?<=\s)|^)'((?:[^'\n]|(?<=\w)'(?=\w))+)'(?=\W|$)"
)
_SPEAKS = re.compile(r"\b(?:i|i'm|i've|my|we|me|yo|mi|vivo|soy|je|j'\w+|ich|io|eu|moro|ik|я)\b|\bj'|我|私")
_OWN_LABELS = (
    r"just in case|user|me|i|myself|human|customer|q|question|note|notes|fyi|ps|p\.s\.?|update|edit"
    r"|important|reminder|info|today|now"
    r"|name|age|city|country|home|address|location|diet|allerg(?:y|ies)|job|work|role|employer"
    r"|about me|profile|bio|goals?|plans?"
    r"|likes|dislikes|hobbies|languages?|birthday|pets?|family|fact|facts|context|background|summary"
    r"|(?:perhaps|maybe|possibly|may be|might be|could be) [\w ]{1,20}|ok|okay|also|so|and|then|heads[- ]up|disclaimer"
    r"|confession|fun fact|guess what|thing is|clarification|correction"
    r"|warning|tl;?dr"
    r"|(?:\w+ )?(?:note|question|update|reminder|info|fact|thing|detail|request|answer|hinweis|notiz|frage|wichtig|übrigens"
    r"|info"
    r"|remarque|précision|attention|nota|importante|aviso|pregunta|respuesta|dica|pergunta|domanda|premessa|opmerking|vraag"
    r"|viktigt"
    r"|fråga|obs|ważne|uwaga|pytanie|pozor|důležité|важно|вопрос|кстати|справка|注意|重要|質問|备注|問題)"
    r"|(?:falls|wenn|if|si|se|als|om|jeśli|если) [^:\n]{1,30}"
)
_SPEAKER_LABEL = re.compile(
    rf"^[^\S\n]*(?:[-*>]\s*)?(?:\[[^\]\n]{{1,20}}\]\s*)?(?!(?:{_OWN_LABELS})\s*:)"
    r"(?![\w-]+'s )(?P<name>[^\W\d_][\w'-]*(?: [^\W\d_][\w'-]*)?)\s*(?:[\[(][^\])\n]{1,20}[\])]\s*)?:(?=\s)",
    re.MULTILINE,
)
"""A name in front of a line, as in a transcript: «Bob: …»."""
_OWN_LABEL = re.compile(
    r"^[^\S\n]*(?:[-*>]\s*)?(?:\[[^\]\n]{1,20}\]\s*)?(?:user|me|i|myself|human|customer|q|ich|moi|yo|io|eu|ik|jag|jeg|ja"
    r"|я)\s*:",
    re.MULTILINE,
)
_FORWARDED = re.compile(
    r"^\W*(?:from|von|de|da|fra|van|от)\s*:\s*\S+|\bforwarded (?:message|e-?mail|from)\b|\bbegin forwarded\b"
    r"|(?<!\bi )(?<!\bwe )(?<!\bich )(?<!\byo )\b(?:wrote|writes|texted|says|said|messaged|posted|replied|schrieb|schreibt"
    r"|sagt|sagte|meint|meinte|dice|dit|diz|zegt|säger|siger|mówi|říká|говорит|пишет|diyor"
    r"|escribió|dijo|a écrit|a dit|écrit|ha scritto|ha detto|escreveu|disse|schreef|zei|skrev|sa|napisał\w*|powiedział\w*"
    r"|napsal\w*"
    r"|řekl\w*|написал\w*|сказал\w*|yazdı|dedi ki)(?: (?:to )?(?:me|us|mir|uns|mi|nos|mij|ons|mig|meg|mně|мне|нам|bana))?"
    r"(?: (?:today|yesterday|earlier|just now|heute|gestern|hier|ayer|ieri))?\s*:|-{3,}\s*(?:original|forwarded) message"
    r"|(?<!wo)\b(?:m'a|me|m'ha|mi ha|mi|nous a) (?:écrit|dit|escribió|dijo|escreveu|disse|scritto|detto)\s*:|[说說][：:]|と(?:言"
    r"|い)った[：:]"
    r"|\b(?:message|e-?mail|mail|letter|note|text|sms|dm) from (?!me\b|myself\b)[^.!?\n]{1,60}:",
    re.MULTILINE,
)
"""The head of a mail or message that somebody else wrote."""
_STAMP = re.compile(
    r"^\s*\[?\(?(?:\d{4}-\d\d-\d\d[t ]?)?(?:\d{1,2}[:.]\d{2}(?:[:.]\d{2})?)?\s*(?:am|pm)?\)?\]?\s*(?:-\s*)?"
)
"""A time stamp in front of a line: it says when, not who."""
_FENCE = re.compile(r"```")
_SUNG = re.compile(r"[🎵🎶♪♫]")
"""Before a value: a line that is sung."""
_TASK = re.compile(
    r"\b(?:translate|paraphrase|rephrase|rewrite|summari[sz]e|proof-?read|spell-?check)\b"
    r"|\b(?:correct|fix|check|edit|improve) (?:this|the following|my)"
    r" (?:sentence|text|paragraph|grammar|letter|e-?mail)\b"
    r"|\b(?:lyrics|excerpt|song|poem|quote|template|snippet|payload|draft|cover letter|screenplay|script|transcript"
    r"|bio of)\b[^\n]{0,40}:"
    r"|\bin the (?:sentence|phrase|text)\b"
    r"|\b(?:example|sample)(?: \w+){0,2}:|\bsomething like:|\bexample (?:e-?mail|sentence|text"
    r"|letter|message)\b"
    r"|\bhow (?:do|would) (?:you|i|we) say\b|\bwie sagt man\b|\bcomment (?:dit-on|traduire)\b"
    r"|\bcómo se dice\b"
    r"|\b(?:traduce|traduis|traduza|traduci|übersetze|vertaal)\b|翻译|переведи"
)
_TASK_OBJECT = re.compile(
    r":|\n|\b(?:this|these|following|below)\b|\b(?:in|in)?to (?:english|german|french|spanish"
    r"|italian|portuguese|dutch"
    r"|russian|chinese|japanese|korean)\b|\b(?:sentence|phrase|text|paragraph|lyrics|poem|quote"
    r"|example|sample)\b"
)
"""What a request points at, so that the sentences behind it are the text: «translate this: …»."""
_CODE_LINE = re.compile(
    r"^\s*(?:>|[{\[]|\"[\w.-]+\"\s*:|[a-z_][\w.]*\s*=(?!=)|(?:let|const|var) \w+ ?=|(?:def"
    r"|class) \w+ ?[(:]|print\()"
)
_PLAYS = re.compile(
    r"\b(?:let'?s|let us|can we|could we|shall we|we'?re|we are|i'?m|i am|wanna|want to"
    r"|start(?:ing)?|time to|for (?:this|our|the))"
    r"(?: \w+){0,3} role-? ?play(?:ing)?\b(?! games?)|\brole-? ?play(?:ing)?\s*[:(]"
    r"|^\W*role-? ?play\b|\bpretend\b|\blet'?s play\b[^.!?]{0,10}[:,]? (?:you|i)\b"
    r"|\bmy character\b|\bin character\b|(?<!\bi )\bact as (?:an?|the|my|if)\b"
    r"|\bin (?:my|our) (?:novel|story|book|game|screenplay|script|dream|film|play|campaign)\b"
    r"|\bmake-believe\b|\bonce upon a time\b"
    r"|^\s*\*(?!(?:very|really|please|also|note|important|update|edit|ps|nb)\b)(?:[^*\n]+ [^*\n]+|\w+s)\*",
    re.MULTILINE,
)
"""What opens a scene: all that follows may be a character's."""
_PLAYS_HERE = re.compile(
    r"\brole-? ?play\w*|\bd&d\b|\bdungeons\b|\blarp\w*"
    r"|\b(?:story|novel|tale|poem|song|scene|script|dialogue|essay|joke|limerick|letter|speech)s?"
    r" (?:in which|where|about how|that says)\b"
    r"|\bin (?:this|the) (?:novel|story|book|game|screenplay|script|dream|film|play)\b"
)
"""What makes a character's words of its own sentence alone: «I love role-playing games. I live in Oslo.»"""
_JOKES = re.compile(
    r"(?:^|\s)/s(?:\s|$)|\b(?:lol|haha+|lmao|pff+|ha),? (?:sure|right|yeah|ok)\b|\byeah,? right\b|\boh,? sure\b"
    r"|(?<!not )(?<!n't )(?<!no )\b(?:just )?(?:kidding|joking)\b|\bjk\b"
    r"|\(sarcasm\)|#sarcasm"
    r"|\bsaid no ?(?:one|body)\b|(?:\.\.\.|…|\s-+)\s*not\s*[!.]|^\W*not\s*!|🙄|🙃|\bas if\s*!",
    re.MULTILINE,
)
_OWN_WORDS = re.compile(
    r"\b(?:my|the|our|an?) (?:doctor|gp|dentist|therapist|psychiatrist|allergist|physician|nutritionist|specialist|nurse"
    r"|hospital|clinic|lab|passport|doctors|tests?|results?|diagnosis) "
    r"(?:says?|said|told me|tells me|confirm(?:s|ed)?|shows?|thinks|believes)(?: that)?(?= i\b| i'| my\b)"
    r"|\b(?:mi|mon|ma|mein\w*|il mio|meu|minha|mijn) (?:médic[oa]|doctora?|docteur|médecin|arzt|ärztin|hausarzt|dottore"
    r"|huisarts)"
    r" (?:dice|dit|sagt|disse|diz|zegt)\b"
    r"|\b(?:i|we)(?:'ve| have)?(?: [\w']+){0,2} (?:say|said|told|tell|write|wrote|think|thought|claim(?:ed)?|believe|joke"
    r"|swear)\b"
    r"|\b(?:would|wld|do|does|did|can|could|should|wouldn't) (?:you|u|ya) (?:say|think|believe|tell)\b"
    r"|\b(?:dr|doctor|prof|professor|nurse)\.? [\w-]+ (?:says?|said|told me|confirm(?:s|ed)?|thinks)(?: that)?(?= i\b| i'"
    r"| my\b)"
    r"|\b(?:believe it or not|needless to say|as they say|to tell(?: you)? the truth|truth be told|can't tell)\b"
)
_REPORTS = re.compile(
    r"(?<!let's )\b(?:says?|said|saying|tells?|told|telling|wrote|writes|claims?|claimed|thinks?|believes?"
    r"|insists?|reckons?|jokes?|joked|swears?)\b(?! (?:hi|hello|yes|no|so|thanks)\b)|\baccording to (?!me\b|(?:my|the|a"
    r"|an) (?:[\w-]+ )?(?:passport|id"
    r"|birth|papers|records?|tests?|results?|scale|watch|doctor|gp|dentist|lab)\b)"
    r"|\b(?:dice|dit|disse|diz) (?:que|che|qu')|\b(?:sagt(?! man)|sagte|meint|meinte|behauptet|zegt|zei|säger|siger|mówi"
    r"|twierdzi|říká|говорит"
    r"|сказал\w*|diyor|dedi)\b"
)


def is_recalled(evidence: Evidence) -> bool:
    """Whether memory is read back: that is no news about the user."""
    sentence = evidence.speech[slice(*evidence.sentence)]
    return bool(
        _RECALLED.search(evidence.leading_text[-400:] + evidence.text_after[:40]) or _RECORD.search(sentence)
    )


SETTING_WORDS_MAX = 4
"""«System: Windows 11» names a setting, not a speaker: so short a line ends with itself."""


def is_assistant_text(evidence: Evidence) -> bool:
    """Whether the value stands in a turn of an assistant that was pasted into the text."""
    labels = [*_LABEL.finditer(evidence.leading_text)]
    if not (labels and labels[-1]["machine"]):
        return False
    return not _is_setting(evidence.leading_text[labels[-1].end() :])


def _is_setting(labelled: str) -> bool:
    """Whether a labelled line ends with itself, so that the next line is the speaker's again."""
    line, _, later = labelled.partition("\n")
    return bool(later) and 0 < len(line.split()) <= SETTING_WORDS_MAX and not _SPEAKS.search(line)


def is_quoted(evidence: Evidence) -> bool:
    """Whether the value stands in another's text: a quoted statement, code, a text to work on.

    Quotation marks around a title or a name alone quote nobody.
    """
    start, end = evidence.value
    marked = (pair for pair in _PAIRS.finditer(evidence.speech) if pair.start() < start and end <= pair.end())
    if any(_SPEAKS.search(next(filter(None, pair.groups()))) for pair in marked):
        return True
    line = evidence.speech[evidence.speech.rfind("\n", 0, start) + 1 : end]
    if _SUNG.search(evidence.speech[evidence.sentence[0] : start] or line):
        return True
    fenced = (
        len(_FENCE.findall(evidence.leading_text)) % 2 == 1
        or evidence.leading_text.rpartition("\n")[2].count("`") % 2 == 1
    )
    return bool(
        fenced or _CODE_LINE.match(_STAMP.sub("", line)) or _is_task(evidence) or _is_other_speaker(evidence)
    )


def _is_task(evidence: Evidence) -> bool:
    """Whether the value stands in a text to work on: in the sentence that asks for it, or after it."""
    task = None
    for found in _TASK.finditer(evidence.leading_text):
        task = found
    if task is None:
        return False
    asked = re.split(r"(?<=[.!?])\s", evidence.leading_text[task.start() :], maxsplit=1)
    return len(asked) == 1 or _TASK_OBJECT.search(asked[0]) is not None


def _is_other_speaker(evidence: Evidence) -> bool:
    """Whether the line, mail or message that holds the value is somebody else's, as its label says."""
    if _FORWARDED.search(evidence.leading_text):
        return True
    labels = [
        label
        for label in _SPEAKER_LABEL.finditer(evidence.leading_text)
        if not _is_setting(evidence.leading_text[label.end() :])
        and _SPEAKS.search(
            evidence.speech[label.end() :].partition("\n")[0] or evidence.speech[label.end() :]
        )
    ]
    own = [*_OWN_LABEL.finditer(evidence.leading_text)]
    return bool(labels and (not own or own[-1].start() < labels[-1].start()))


def is_role_play(evidence: Evidence) -> bool:
    return bool(_PLAYS.search(evidence.leading_text) or _PLAYS_HERE.search(evidence.text_before))


def is_sarcastic(evidence: Evidence) -> bool:
    return _JOKES.search(f"{evidence.text_before}\n{evidence.text_after}\n{evidence.follow_up}") is not None


def is_hearsay(evidence: Evidence) -> bool:
    """Whether somebody else says so, other than the speaker."""
    said = re.split(r"[,;]|\bbut\b", evidence.text_before)[-1]
    return _REPORTS.search(_OWN_WORDS.sub("", said)) is not None


_NOMINATIVE = re.compile(r"\b(?:i|we)(?:'\w+)?\b")
_PERSON_VERB = "lives|works|likes|loves|hates|plays|owns|studies|speaks|prefers|wants|has"
_SOMEBODY_NAMED = re.compile(
    r"^\W*(?!(?:i|we|it|this|that|there|here|what|which|who|the|an?|my|our|home|work|life|just|also|now|finally|recently|then"
    r"|so|and|but"
    r"|yes|yeah|no|yesterday|today|soon|last|next|once|only|still|never|always|already|almost|guess|ended|sadly|since|when"
    r"|after|before"
    r"|long|back|never|not|somehow|me|you|\w+ly)\b)(?:[^\W\d]+ ){1,2}(?:just |finally |recently )?(?:got|moved|joined|started"
    r"|bought|adopted"
    r"|became|graduated|quit|left|sold|married)\b"
)
"""«Lena got into Harvard»: a verb of the past says of nobody by itself that it is the speaker."""
_NAMED = re.compile(
    r"^\W*(?!(?:it|this|that|there|here|what|which|the|an?|my|our|home|work|life|just|also|now)\b)"
    rf"(?:[^\W\d]+ ){{1,2}}(?:{_PERSON_VERB}|is (?:an?|the|from))\b"
)
_OTHERS = re.compile(rf"{THIRD.pattern}|\b(?:{_PERSON_VERB}|is|was)\b")
_ELLIPTIC = re.compile(rf"^\W*(?:{_PERSON_VERB}|is|was)\b")
_HOLDS = re.compile(
    r"'s(?: (?!name\b)|$)|\b(?:has|have|had|got|gets|owns|bought|adopted|wants|loves|likes|keeps)\b"
    r"|\b(?:tiene|tienen|hat|haben|ont|possède|ha|hanno|tem|têm|heeft|hebben|har|ma|mają|má|mají|есть|держит)\b|有|养|養|飼って|がいます"
    r"|키워"
)
_RELATED = frozenset({"family", "friend", "pet", "relationship", "children", "partner"})
"""Attributes whose value is another person: in «my sister Eva», Eva is the user's sister."""
_PERSON = re.compile(PEOPLE)
"""Last word of such an attribute: `work.boss`."""
_ME = re.compile(
    r"\b(?:i|me|us|we)\W*$|^\W*(?:(?:speaking|coming|talking) )?(?:as|from) (?:someone|somebody|one|an? [\w ]{1,30}"
    r"|a person)\W*$"
)
"""What «who» refers to: «someone like me who hates olives», «as someone who grew up in Lagos»."""
_COMPOUND = re.compile(
    rf"\b(?:i|me|myself) and (?:my|our|the|\w+)\b|\band (?:i|me|myself)\b|{COMPOUND_ELSEWHERE}"
)
"""A subject that the speaker is part of: «me and my wife»."""
_COMPOUND_SUBJECT = re.compile(
    r"(?:^|[,;:–—-]\s*|\b(?:and|but|so|because|that) )\W*(?:i|me|myself) and (?:my|our|the)(?: [\w'-]+){1,2}"
    r" (?!is\b|was\b|has\b|does\b|[a-z]+s\b)"
    r"(?![^,;]*\b(?:is|was|has|does|lives|works|likes|loves|plays|owns|wants|prefers)\b)[^,;]*$"
)
"""The same as the subject of the value's own clause, with a plural verb: «me and my wife live in Oslo»."""
_TO_ME = re.compile(
    r"\b(?:call|calls|called|name|named|nickname[ds]?) me\W*$"
    r"|\b(?:diagnosed|prescribed|got|gets|made|makes|turned|introduced|convinced|promoted|hired|moved|transferred|appointed"
    r"|named|raised)"
    r" me\b"
)
"""What others do to the speaker and is the speaker's: a name, a diagnosis."""
Subject = Literal["speaker", "other"]


_AS_I_DO = re.compile(r"^\W*(?:like|as much as|more than|better than) (?:i|me)\b")
"""«Nobody loves ramen like I do» is said of the speaker."""


_SO_DO_I = re.compile(
    r"^[^.!?]{0,20}\b(?:so|as) (?:am|do|have|was|did|can) (?:i|we)\b|^[^.!?]{0,12}\b(?:me|us) too\b|^[^.!?]{0,12}\bich auch\b"
    r"|^[^.!?]{0,12}\b(?:moi aussi|yo también|eu também|anch'io|ik ook|jag också|ja też|я тоже)\b|^[^。]{0,6}我也"
)
"""What is said of another and of the speaker: «My kid's allergic to eggs and so am I»."""


_TURNS = re.compile(r"[,;:]|\b(?:but|pero|mas|mais|ma|aber|maar|men|ale|но|але|ama)\b")


def _is_compound(evidence: Evidence) -> bool:
    said = _TURNS.split(evidence.text_before)[-1]
    joined = None if evidence.is_english else re.search(COMPOUND_ELSEWHERE, said)
    return joined is not None or _COMPOUND_SUBJECT.search(evidence.text_before) is not None


def is_about_another(evidence: Evidence, attribute: str) -> bool:
    """Whether the words ascribe the value to somebody else; words without a subject are about the speaker."""
    if attribute.split(".", 1)[0] in _RELATED or _PERSON.fullmatch(attribute.rpartition(".")[2]):
        head = evidence.clause_head or evidence.governing_words
        named = THIRD.search(head)
        owner = re.search(r"\b(?:his|her|their|your|he|she|they)\b(?! names?\b)", head)
        return bool(owner or (named and _subject(head) == "other" and _HOLDS.search(head[named.start() :])))
    if _is_compound(evidence) or _AS_I_DO.match(evidence.text_after) or _SO_DO_I.match(evidence.text_after):
        return False
    clauses = evidence.sentence_clauses
    for place, clause in reversed([*enumerate(clauses)]):
        if clause.opener in {"who", "whose"} and not FIRST.search(clause.head):
            return _ME.search(clauses[place - 1].head) is None
        subject = _subject(clause.head)
        if clause is clauses[-1] and subject is None:
            subject = _named(evidence, clause.head)
        if subject:
            return subject == "other"
    if _ELLIPTIC.match(evidence.text_before) and _last_subject(evidence) == "other":
        return True
    return _is_described(evidence)


_THIRD_VERB = re.compile(
    r"(?:^|[.,;]\s*|\band )(?:lives|works|likes|loves|hates|plays|owns|studies|speaks|prefers|wants|has|comes)\b"
)
_OWN_NOTES = re.compile(r"\b(?:about me|my (?:bio|profile|notes)|bio|profile|me)\s*[:–—-]|\buser\b")


def _is_described(evidence: Evidence) -> bool:
    """Whether the sentence has no subject but its verb has: «Vegetarian, lives in Leicester» is said of another."""
    sentence = evidence.speech[slice(*evidence.sentence)]
    verb = _THIRD_VERB.search(sentence)
    is_described = (
        verb and not FIRST.search(evidence.text_before) and not FIRST.search(sentence[: verb.start()])
    )
    return bool(is_described) and not _OWN_NOTES.search(evidence.leading_text)


def _subject(head: str) -> Subject | None:
    """Return whom the first word names that can be a subject."""
    if _COMPOUND.search(head) or _TO_ME.search(head):
        return "speaker"
    nominatives = [*_NOMINATIVE.finditer(head)]
    if nominatives and not _OTHERS.search(head, nominatives[-1].end()):
        return "speaker"
    other, speaker = THIRD.search(head), FIRST.search(head)
    if other and (speaker is None or other.start() <= speaker.start()):
        return "other"
    if speaker:
        return "speaker"
    return "other" if _NAMED.match(head) else None


def _named(evidence: Evidence, head: str) -> Subject | None:
    """Return `other` for «Eva likes chess», unless the rest of the clause returns to the speaker."""
    said = f"{head} {evidence.speech[slice(*evidence.value)]}"
    is_named = _NAMED.match(said) or (_SOMEBODY_NAMED.match(head) and evidence.is_english)
    return "other" if is_named and not FIRST.search(evidence.clause_tail) else None


def _last_subject(evidence: Evidence) -> Subject | None:
    """Return whom the sentence before was about, for a sentence without a subject."""
    earlier = evidence.speech[: evidence.sentence[0]].rstrip(" .!?\n")
    return _subject(re.split(r"[.!?\n]", earlier)[-1])
