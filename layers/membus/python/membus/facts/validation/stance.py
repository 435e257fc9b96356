"""Stance: whether words state a value, or ask for it, suppose or deny it, or call it past or future."""

import re

from membus.facts.attributes import INTENDED_ATTRIBUTES, PAST_ATTRIBUTES
from membus.facts.validation.evidence import OWN_SUBJECT, Evidence

NARRATED_ATTRIBUTES = PAST_ATTRIBUTES | INTENDED_ATTRIBUTES
TIMELESS_ATTRIBUTES = frozenset({"name", "family", "friend", "birthday", "origin"})
"""Attributes that no time in the sentence belongs to: «my sister Eva comes next week»."""
_AUX = "do|does|did|am|is|are|was|were|have|has|can|could|should|would|will|shall"
_ASKS = re.compile(
    rf"^\W*(?:and |so |but )?(?:(?:{_AUX}) (?:i|my|we|our|you|it|the|this|that|there)\b"
    r"|(?:what|where|when|why|how|which|who)(?:'s| (?:do|does|did|am|is|are|was|were|can|should)\b)"
    r"|est-ce que)"
)
_ASKED = re.compile(
    r"\b(?:remind me|tell me|wonder(?:ing)?|do you know|do you remember|not sure|unsure|forgot|check)"
    r" (?:if|whether|where|what|that|how|which)\b|¿[^?]*$"
)
_GIVEN = re.compile(
    r"\b(?:since|because|given(?: that)?|now that|considering(?: that)?|seeing that|knowing(?: that)?|as"
    r"|weil|da|denn|porque|ya que|dado que|puesto que|como|parce que|puisque|vu que|perché|poiché|visto che"
    r"|já que|omdat|aangezien)"
    r" (?:i|i'm|i've|my|we|our|ich|mein\w*|yo|mi|soy|tengo|je|j'\w+|mon|ma|io|sono|ho|eu|sou|tenho"
    r"|ik)\b[^,;.?!]*$"
    r"|\b(?:(?:keep|keeping|bear|bearing) in mind|(?:please )?(?:remember|note|consider|respect)|aware|knowing|mention) that"
    r" (?:i|i'm|i've|my|we|our)\b[^,;.?!]*$"
    r"|\b(?:(?:someone|somebody|a person|people|a [a-z]+) like (?:me|us),? (?:who|with|that)"
    r"|(?:for|to|with) (?:me|us), (?:who|an?))\b"
    r"[^,;.?!]*$"
    r"|\b(?:i|me|we|us), (?:who|an?|being|as an?|with my|with an?)\b[^,;.?!]*$"
    r"|(?:^|, )\W*(?:as|being|als|en tant que|como|come|som|jako) (?:an?|the|i|ich|eine?|une?|una?|um|uma|uno|en|ett"
    r"|et)? ?[^,;.?!]*$"
)
"""What a question takes as given: «…, since I'm allergic to nuts?» asks for something else."""
_GIVEN_BEFORE = re.compile(rf"^.*(?={_GIVEN.pattern})", re.DOTALL)
"""The question, or whatever else comes before the reason."""
_QUESTION_END = re.compile(r"[?？؟]\W*$|吗\W*$|ですか\W*$|ますか\W*$|까\W*$")
_ASKS_ABOUT_IT = re.compile(
    r"\b(?:true|correct|right|remember|sure|certain|think|believe|say|said|wonder|whether|if)\b[^,]*$"
    r"|\b(?:richtig|stimmt|wahr|glaubst|denkst|vrai|crois|penses|verdad|crees|cierto|vero|credi|verdade|acha|prawda"
    r"|правда)\b[^,]*$"
)
"""A question whose answer is the clause that follows: «is it true, I live in Leith?»."""
_OWN_PLACE = re.compile(
    r"\bmy (?:own )?(?:place|home|house|flat|apartment|office|work|workplace|school|university|uni|college|gym|desk|hometown"
    r"|town|city|village"
    r"|street|neighbou?rhood|employer|company|doctor in|dorm)\b[^.?!;]{0,20}$"
)
"""What is the user's own is told, whatever is asked of it: «from my place in Croydon»."""
_OWN_AFTER = re.compile(
    r"^\W*(?:(?:(?:and )?that's |which is )?where|in which|which) (?:i|we)\b(?:'m|'ve|'re)?(?: (?:am|are|currently|now"
    r"|just))* ?"
    r"(?:live|work|study|grew|was|were|come|moved|stay|based|living|working|from|speak|play|have|own|love|like|take|use)"
    r"|^[^.?!]{0,12}, (?:i|we) (?:live|work|study) (?:here|there)\b"
)
_TOLD_AFTER = re.compile(
    r"^\W*(?:i|we|i'm|i've|we've|we're)?\W*(?:(?:have|am|are|just|recently|only|now) )*"
    r"(?:moved|new|relocated|settled|live|living|based|from) (?:here|there|around here|in town|to town)\b|"
    r"^\W*(?:(?:that's|that is|it's|it is) (?:where|what|who|how) (?:i|we)\b"
    r"|(?:i|we|i'm|we're)\b[^.!?]{0,30}\b(?:there|from here|around here)\b)"
)
_TOLD_ELSEWHERE = re.compile(
    r"^\W*(?:j'y (?:habite|vis|travaille|suis)|(?:j'habite|je vis|je travaille)\b[^.!?]{0,12}\b(?:là-bas|là|ici)"
    r"|(?:vivo|trabajo|estoy) (?:allí|allá|ahí|aquí)|(?:abito|vivo|lavoro) (?:lì|là|qui)|(?:moro|trabalho) (?:lá|ali|aqui)"
    r"|ich (?:wohne|lebe|arbeite) (?:da|dort|hier)|(?:da|dort|hier) (?:wohne|lebe|arbeite) ich"
    r"|ik (?:woon|werk) (?:daar|hier)|jag (?:bor|jobbar) (?:där|här)|jeg bor (?:der|her)|mieszkam (?:tam|tu)|bydlím tam"
    r"|(?:я )?(?:там )?живу(?: там| здесь)?)\b|^\W*我(?:就)?(?:住|在)(?:在)?(?:那|这)|^\W*そこに(?:住|い)"
)
"""The same in other languages: «J'habite là-bas.»"""
_TAG = re.compile(r"^\W*(?:right|correct|yes|no|ok|okay|isn't it|don't i|am i not|verdad|oder|né|no)\s*\?")
_BENIGN_IF = re.compile(
    r"\bwhether (?:you|they|anyone|people) (?:like|likes|believe|believes|want|know|care)s? (?:it )?or not\b"
    r"|\bif (?:you(?:'re| are| were|'d)? ?(?:wondering|curious|ask|asking|must|need|want|like"
    r"|remember|don't mind)"
    r"|that (?:matters|helps)|it (?:matters|helps)|i'?m (?:honest|not mistaken)|i (?:remember"
    r"|recall)|anyone)\b"
    r"|\b(?:just )?in case (?:it|that|this|you)\b(?:(?! i )[^,;.])*|\bjust in case(?=\s*[,:;–—-])"
    r"|\bi(?:'m| am) afraid (?:that )?(?=i\b|i'|my\b|we\b|our\b)"
    r"|\b(?:i|we) (?:should|ought to|must|had better|might as well|may as well)(?: (?:probably|maybe|perhaps|really|also|just"
    r"|first))* (?:tell you|mention|say|add|note|let you know|point out|warn you|admit|confess)(?: that)?"
    r"|\bif (?:it|that|this)(?:'s| is| isn't|'s not| is not)? (?:not )?(?:too )?(?:much )?(?:of )?(?:an? )?"
    r"(?:trouble|bother|hassle|possible|ok|okay|all right|alright|convenient|imposition)\b"
)
"""Politeness that supposes and doubts nothing."""
_BENIGN_IF_ELSEWHERE = re.compile(
    r"\b(?:falls|wenn) (?:(?:es|das|du|sie|ihr|jemand|ich)\b[^,:;.]{0,30})(?:hilf\w*|wichtig|interess\w*|frag\w*"
    r"|wissen will\w*|relevant"
    r"|nötig|brauch\w*|ehrlich|erinner\w*)(?: ist| bin)?|\bsi (?:jamais )?(?:ça|cela|tu|vous|besoin"
    r"|on)\b[^,:;.]{0,30}(?:aid\w*|intéress\w*"
    r"|demand\w*|savoir|besoin|utile|sert)|\bau cas où\b[^,:;.]{0,30}|\bpor si (?:acaso|sirve|ayuda|(?:te|le) \w+"
    r"|las dudas)(?: de algo)?"
    r"|\bsi (?:te|le|os|les)? ?(?:sirve|interesa|ayuda|preguntas|importa)\b|\b(?:se|caso) (?:precisar|precise|ajudar|ajude"
    r"|interessar"
    r"|interesse|te interessa|quiser(?: saber)?|servir)\b|\bse (?:ti|vi|le|può|serve|vuoi|interessa|aiuta)\b[^,:;.]{0,20}"
    r"|\bmocht (?:je|u|het)\b[^,:;.]{0,30}|\b(?:als|indien) (?:het|je|dat) (?:helpt|wil weten|vraagt|uitmaakt)"
    r"|\bvoor het geval\b[^,:;.]{0,30}"
    r"|\b(?:om|ifall|hvis) (?:du|det) (?:undrar|hjälper|lurer|hjelper|hjælper|spiller)[^,:;.]{0,20}|\bjeśli to (?:pomoże|ważne"
    r"|istotne)"
    r"|\b(?:если что|если интересно|если важно|если поможет|на всякий случай)\b"
    r"|如果有(?:帮助|用)|以防万一|念のため|もし参考になれば|혹시 몰라서"
)
"""The same politeness in other languages."""
_SUPPOSES = re.compile(
    r"\b(?:if|unless|suppos(?:e|ing)|imagine|assum(?:e|ing)|let's say|as if|as though|wish"
    r"|hypothetically|in theory|for the sake of argument"
    r"|provided|in case|whether)\b|^\W*(?:had|were) i\b"
    r"|\b(?:wenn|falls|würde|hätte|wäre|если|если бы|als ik)\b|(?:^|, |¿)(?:si|se) (?!no\b)|\bs'il\b"
    r"|\b(?:stell dir vor|angenommen|nehmen wir an|tu so|als ob|imagine[zs]? que|supposons|admettons|comme si|imagina que|supón"
    r"|supongamos|como si|faz de conta|suponha|imagine que|como se|immagina|mettiamo che|come se|fai finta|stel dat|doe alsof"
    r"|alsof"
    r"|låtsas|anta att|som om|gid at|wyobraź sobie|załóżmy|gdyby|jeśli|jeżeli|udawaj|jakby|představ si|kdyby|jestli|předstírej"
    r"|jos"
    r"|kuvittele|tegyük fel|képzeld|eğer|diyelim|varsay|dacă|presupunem|αν|ας πούμε|если бы|представь|допустим|якби|якщо"
    r"|уяви"
    r"|kalau|jika|seandainya|bayangkan|nếu|giả sử)\b"
    r"|如果|要是|假如|假设|假設|想象|想像|假装|もし|仮に|ふりをし|만약|만일|척하"
    r"|(?<!\w)(?:لو|إذا|تخيل|אם|נניח|דמיין|अगर|यदि|मान लो)(?!\w)"
    r"|ถ้า|สมมติ"
)
_DOUBTS = re.compile(
    r"\b(?:maybe|perhaps|might|could|probably|possibly|potentially|considering(?! i)|(?:think"
    r"|thinking|thought) (?:about|of)"
    r"|toying with|(?:i|we|it|that) may|should (?:i|we)|unsure|not sure|worry|afraid|hypothetical)\b"
    r"|\b(?:i|we|you) should (?!(?:probably |really |also |maybe )?(?:mention|say|tell|add|note|let|warn|point|admit|know"
    r"|confess))"
    r"|\b(?:was|were|been|got|being) (?:offered|invited|asked|approached|recruited|considered|shortlisted)\b"
    r"|\b(?:was|were) (?:supposed|meant|going|about|planning|hoping|tempted) to\b"
    r"|\b(?:wants?|wanted|asked|asks|expects?|expected|urges?|begged|needs|would like) me (?:to|in|at|back|as)\b"
    r"|\bappl(?:y|ied|ying) (?:to|for|at)\b|\binterview\w* (?:at|with|for)\b|\bwaitlist\w*"
    r"|\b(?:almost|nearly) (?:took|got|moved|bought|became|joined|went|married|adopted|had)\b"
    r"|\b(?:vielleicht|quizás?|tal vez|ojalá|talvez|oxalá|peut-être|forse|magari|misschien|возможно"
    r"|может быть)\b"
    r"|也许|可能|かもしれ"
)
_WISHES = re.compile(
    r"\bwould\b|\b(?:i|we)'d\b|\bhop(?:e|ing) to\b|\bdream(?:ing)? of\b|\bsome ?day\b|\bone day\b"
    r"|\b(?:want|wants|wanted|would like|'d like) to\b|\bquisiera\b|\bgostaria\b|\bvoudrais\b"
    r"|\bvorrei\b|\bmöchte\b"
)
_KEEPS = (
    r"\b(?:don't|doesn't|didn't|never|not|wouldn't|won't|can't|couldn't) (?:ever )?(?:regret|trade|leave|leaving|quit|give up"
    r"|imagine leaving|live anywhere|move|sell|part with|complain)\w*\b"
)
"""A denied end: «I'd never leave Cork»."""
_HARMLESS = re.compile(
    r"(?:\bnot|n't) (?:only|just|merely|simply|to mention)\b|\b(?:can't|cannot|cant|can not) (?:wait|help|believe|stop"
    r"|get enough)\b"
    r"|\bno (?:doubt|wonder|matter|idea|problem|worries)\b|\bnever mind\b|\bdon't (?:worry|(?:you )?(?:ever |dare )*forget"
    r"|mind|get me wrong)\b"
    rf"|{_KEEPS}"
    r"|\bwhy not\b|\bcouldn't (?:agree|be)\b|\bisn't it\b"
    r"|\b(?:can't|cannot|cant|can not|couldn't|never|don't) \w+(?: \w+){0,3} without\b|\bnot without\b"
    r"|\b(?:non|no)-\w+|\bnot far from\b|\b(?:nicht weit (?:von|vom|weg)|pas loin d|no (?:muy )?lejos de|non lontano d"
    r"|não (?:muito )?longe d|niet ver van|inte långt från|ikke langt fra)"
    r"|\bnever (?:been|felt|looked|slept|eaten) (?:so|as|more|better|happier|healthier|\w+er)\b|\bno joke\b"
    r"|\bnot an? (?:day|week|weekend|month|morning|night|year) (?:goes|passes|went)\b[^.;]{0,20}\bwithout\b"
    r"|^\W*(?:no|nope|nah|nein|non|não|nee|nej|нет)\b[\s,.!–—-]*(?=(?:i|i'm|i've|my|we|ich|je|eu|ik|jag|я)\b)"
    r"|\b(?:n'oubli\w+ (?:pas|jamais)|ne pas oublier|no (?:te |se )?olvid\w+|não (?:te |se )?esqu\w+|non (?:ti )?(?:dimentic"
    r"|scord)\w+"
    r"|vergiss\w* (?:bitte )?nicht|vergeet niet|glöm inte|glem ikke|nie zapom\w+|nezapom\w+|не забу?[дв]\w+|älä unohda"
    r"|unutma\w*)"
    r"|[别別]忘|不要忘|忘れないで|잊지 ?마|อย่าลืม"
    r"|不(?:过|過|但|仅|僅|止|错|錯|好意思|管|论|論|客气|客氣|断|斷|知不觉)|(?<=差)不多|[没沒](?:错|錯|关系|關係|问题|問題|事)"
)
"""Words of denial that deny nothing: «No I live in Porto now», «non-profit», «can't live without»."""
_DENIES = re.compile(
    r"n't\b|\b(?:not|never|no|neither|nor|without|hardly|cannot|dont|doesnt|didnt|isnt|none)\b"
    r"|\bne\b[^.;]{0,40}\b(?:pas|jamais|plus|rien|aucune?|point)\b|\b(?:pas|jamais|nicht|kein\w*"
    r"|niemals|não|nunca"
    r"|jamás|non|niet|geen|nooit|inte|aldrig|ikke|aldri|nem|nie|değil|tidak|bukan|không|не|ні"
    r"|никогда|нет)\b|\bn'"
    r"|\b(?:en|et|ei|emme|ette|eivät) (?:asu|ole|pidä|syö|juo|tykkää|osaa|käy|työskentele|harrasta)\b"
    r"|\bne(?:bydl|žij|prac|mám|jsem|jím|piju|mluv|hraj|vlastn)\w*|\bnu (?:locui|sunt|am|îmi|lucrez"
    r"|mănânc|vorbesc)\w*"
    r"|\b(?:δεν|δε|μην)\b|(?<!\w)(?:לא|אין|אינני)(?!\w)|(?<!\w)(?:لا|لست|ليس|ليست|لم|لن)(?!\w)|नहीं"
    r"|ไม่|ไม่ได้|不|没|沒"
)
"""Denials in forms that are none in a neighbouring language: «ne … pas», not «NE» or Italian «ne»."""
_DENIED_AFTER = re.compile(
    r"^\W*(?:に|で|を|が|は)?[^\s。]{0,8}(?:ません|ない|なかった)|않|지 못|नहीं|না(?![\w])|நான் அல்ல|இல்லை"
    r"|^[^.;!?]{0,40}(?:\w+m[ıiuü]yor\w*|\bdeğil\w*|\byok\b)|^[^.;,!?]{0,30}\bnicht\b|^[^.;,!?]{0,20}\bniet\b"
)
_DENIES_DISLIKE = re.compile(r"(?:n't|\bnot|\bnever|\bdont)(?: \w+){0,2} (?:dislike|hate|mind)\b")
_DENIES_ALLERGY = re.compile(
    r"^\W*not(?: to| about| at all)?\W*$|(?:n't|\bnot|\bnever|\bno longer)(?: \w+){0,2} (?:allergic|intolerant)"
    r"|\bno (?:\w+ )?allerg"
)
_SAYS_NO = re.compile(r"^(?:no|not|non|never)\b|\w[- ]free\b")
"""A value that says its own no: «I don't eat gluten» is `gluten-free`."""
_NEGATIVE = frozenset({"dislikes", "avoids"})
_OVER = re.compile(
    r"(?<!gotten )(?<!got )(?<!getting )(?<!get )(?<!am )(?<!i'm )(?<!are )(?<!'re )(?<!be )(?<!been )(?<!is )"
    r"\bused to\b|\b(?:formerly|previously|no longer|left(?!-|\s(?:hand|side|bank|wing|knee|leg|arm"
    r"|eye|ear|foot))|quit|sold|resigned from|fired from|gave up"
    r"|stopped|broke up with)\b"
    r"|\bmoved (?:out|away|from)\b(?!.*\bto\W*$)|\bonce (?:lived|worked|owned|had)\b"
    r"|(?<!'ve )(?<!have )(?<!has )(?<!always )(?<!now )(?<!just )(?<!also )"
    r"(?<!already )(?<!only )(?<!recently )\blived\b"
    r"|\b(?:früher|damals|antiguamente|solía|costumava|autrefois)\b"
)
_ENDS_AFTER = re.compile(
    r"^\W*(?:(?:has|have|had|is|was|were|are|just|sadly|recently|been|got|finally|unfortunately|now) )*"
    r"(?:died|passed away|dead|gone|cancell?ed|called off|sold|stolen|broke down|fell through"
    r"|ist (?:gestorben|tot|abgesagt)|starb|est mort\w*|a été (?:vendu|annulé)\w*|murió|ha muerto|morreu|è morto)\b"
)
"""An end that is said of the value itself: «Rex died», «the trip is cancelled»."""
_COMES = re.compile(
    r"(?<!with )(?<!and )(?<!from )(?<!for )(?<!of )(?<!my )(?<!named )(?<!called )(?<!friend )\bwill\b"
    r"(?! (?:at|from|in|and|smith))"
    r"|'ll\b|\b(?:about|plan|plans|planning) to\b"
    r"|\bgoing to\b(?! (?:college|uni|university|school|church|work|therapy|the|an?|my|our|night"
    r"|evening|dance|yoga)\b)|\bgonna\b|\bvoy a\b|\bvou\b|\bwerde\b|\bvais\b"
)


_SINCE = re.compile(r"^\W*since\b")
"""«Lived in Perth since 2019» is so still."""


def is_question(evidence: Evidence) -> bool:
    """Whether the value is asked for, with or without a question mark, or to be confirmed."""
    sentence = evidence.text_before + evidence.text_after
    ends = _QUESTION_END.search(evidence.text_after) is not None
    tag = _TAG.match(evidence.follow_up) or (ends and _TAG.match(evidence.text_after))
    if not tag and (
        _GIVEN.search(evidence.text_before)
        or _OWN_PLACE.search(evidence.text_before)
        or _is_told_beside(evidence)
        or is_told_after(evidence)
    ):
        return False
    own = _ASKS.match(evidence.clause_head) or _ASKED.search(_BENIGN_IF.sub("", evidence.text_before))
    return bool(
        tag
        or own
        or (ends and evidence.is_last)
        or (ends and _ASKS.match(sentence) and _QUESTION_END.search(evidence.clause_tail))
    )


def is_told_after(evidence: Evidence) -> bool:
    """Whether the next sentence says that the value is the user's: «… near Leith? I live there.»."""
    return bool(
        _TOLD_AFTER.match(evidence.follow_up)
        or _TOLD_ELSEWHERE.match(evidence.follow_up)
        or _OWN_AFTER.match(evidence.text_after)
    )


def _is_told_beside(evidence: Evidence) -> bool:
    """Whether the value's clause only stands beside the question: «Can you recommend a pizzeria, I live in Naples?»."""
    *before, clause = evidence.sentence_clauses
    asks = " ".join(each.head for each in before)
    is_told = (
        clause.opener != ""
        and not clause.opener.startswith("you ")
        and _OWN_CLAUSE.match(clause.head)
        and not _ASKS.match(clause.head)
    )
    return bool(
        is_told
        and len(asks.split()) > 1
        and not (_ASKS_ABOUT_IT.search(asks) or _OFFERS.match(clause.opener))
    )


_OWN_CLAUSE = re.compile(OWN_SUBJECT)
_OFFERS = re.compile(r"(?:or|oder|o|ou|of|eller|lub|nebo|или|tai|vagy|veya)$")
"""What joins the choices of a question: «Do I live in Seville or do I live in Málaga?»."""


def is_hypothetical(evidence: Evidence, attribute: str) -> bool:
    """Whether the value is supposed, doubted or wished for; a wish is how a goal is said."""
    before, governing = (
        _GIVEN_BEFORE.sub("", _BENIGN_IF_ELSEWHERE.sub("", _BENIGN_IF.sub("", text)))
        for text in (evidence.text_before, evidence.governing_words)
    )
    if _SUPPOSES.search(before) or _DOUBTS.search(governing):
        return True
    return (
        attribute.split(".", 1)[0] not in INTENDED_ATTRIBUTES
        and _WISHES.search(_from_subject(evidence.governing_words)) is not None
    )


def is_negated(evidence: Evidence, attribute: str, value: str) -> bool:
    """Whether the value is denied; «I don't like X» is how a dislike is said, «no meat» says its own no."""
    said = evidence.text_after if evidence.is_topic else evidence.governing_words
    root, scope = attribute.split(".", 1)[0], _HARMLESS.sub("", said)
    if root in _NEGATIVE:
        return _DENIES_DISLIKE.search(scope) is not None
    if root == "allergy":
        return _DENIES_ALLERGY.search(scope) is not None
    if _SAYS_NO.search(value.casefold()):
        return False
    return bool(_DENIES.search(scope) or _DENIED_AFTER.search(evidence.text_after))


def is_past(evidence: Evidence, attribute: str) -> bool:
    """Whether the words say that it was true once; what merely happened stays true."""
    if _ENDS_AFTER.match(evidence.text_after):
        return True
    said = evidence.text_after if evidence.is_topic else evidence.clause_head
    return (
        attribute.split(".", 1)[0] not in NARRATED_ATTRIBUTES
        and _OVER.search(said) is not None
        and _SINCE.search(evidence.text_after) is None
    )


def is_future(evidence: Evidence, attribute: str) -> bool:
    return (
        attribute.split(".", 1)[0] not in INTENDED_ATTRIBUTES | TIMELESS_ATTRIBUTES
        and _COMES.search(evidence.governing_words) is not None
    )


def _from_subject(scope: str) -> str:
    """Return the words from the last «I» or «we»: «I wanted to tell you I took a class» is no wish."""
    subjects = list(re.finditer(r"\b(?:i|we)\b", scope))
    return scope[subjects[-1].start() :] if subjects else scope


_ENDED = re.compile(
    r"\b(?:no longer|any ?more|nicht mehr|kein\w* \w+ mehr|ya no|já não|non \w+(?: \w+)? più"
    r"|niet meer|больше не|plus (?:de|du|à|en))\b"
    r"|\bn(?:e |')\w+(?: \w+)? plus\b|不再|もう"
)
"""Words that say both that it was so and that it is over."""
_LEFT_BEHIND = re.compile(
    r"\b(?:died|dead|passed away|stopped|gave up|given up|got rid of|sold|lost|left|quit|divorced|broke up|split up|cancel\w*"
    r"|dropped|finished|outgrew|outgrown|cured|ended|over|can(?:'t|not) stand|went off|fed up with|gestorben|verkauft|gekündigt"
    r"|murió|vendí|dejé|morreu|vendi|deixei|mort|vendu|quitté|morto|venduto|lasciato)\b"
)


_PARTICIPLE = (
    r"(?:\w+(?:é|ée|u|ue|uit|ato|ata|uto|uta|ito|sso|tto|kündigt|loren|lassen|kauft)|ge\w+(?:t|d|en)|weg"
    r"|sluta\w+|sålt|mis)"
)
_STATES = re.compile(
    r"\b(?:i|we)(?:'m| am|'re| are|'ve got| have got)?(?: (?:still|always|really|also|currently|now))?"
    r" (?:live|work|like|love|enjoy|have|own|play|speak|study|prefer|use|still|based|living|working|married|a|an)\b"
    r"|\b(?:i|we)(?:'m| am| are|'re) (?!over|done|off|sick|tired|through|finish|leav|out|quit|giv|divorc|past|not|rid|without"
    r"|free|cured"
    r"|fed|no|so over|completely over|moving|selling|getting rid|retir)\w+"
    r"|\b(?:ich (?:wohne|lebe|arbeite|mag|liebe|spreche|spiele|heiße)|j'(?:habite|aime)|je (?:vis|travaille|parle)"
    r"|vivo|trabajo|tengo|soy|hablo|me (?:gusta|encanta)|moro|trabalho|tenho|sou|falo|gosto|adoro|abito|lavoro|parlo|mi piace"
    r"|ik (?:woon|werk|hou|spreek)|jag (?:bor|jobbar|är|gillar|älskar)|mieszkam|pracuję|mam|jestem|lubię|bydlím|pracuju|mám"
    r"|asun|minulla on|живу|работаю|люблю)\b|[我私](?:住|在|有|是|喜欢|喜歡|は)"
    rf"|\b(?:ich (?:habe|bin)|ik (?:heb|ben)|j'ai|je suis|ho|sono|jag har)\b(?! (?:[^\W\d_]+ ){{0,3}}{_PARTICIPLE}\b)"
)
"""A plain statement that it is so."""
_STILL = re.compile(
    r"\b(?:still|(?:not|n't|never)(?: \w+){1,4} yet|never (?:left|stopped|quit|sold|gave up)|immer noch|noch immer|toujours"
    r"|todavía|aún"
    r"|ainda|ancora|nog steeds|fortfarande|wciąż|nadal|pořád|stále|yhä|все ещё|всё ещё|hâlâ)\b|还|還|まだ|아직"
)


_NEARLY = re.compile(
    r"\b(?:almost|nearly|beinahe|presque|por poco|quase|bijna|nästan|næsten|nesten|prawie|málem|melkein|чуть не|едва не)\b|差点"
    r"|しそうにな"
)


def is_ending(evidence: Evidence, attribute: str, value: str) -> bool:
    """Whether the words let a value end that the model calls ended.

    They do where they deny it or say that it is over, and where they say neither that it is so nor that it
    is still so: nobody lists the ends of every language. One denied end («never left») is none.
    """
    sentence = evidence.speech[slice(*evidence.sentence)]
    if _NEARLY.search(sentence) or re.search(_KEEPS, sentence):
        return False
    if _ENDED.search(sentence):
        return True
    denied = is_negated(evidence, attribute, value)
    is_over = is_past(evidence, attribute) or _LEFT_BEHIND.search(sentence) is not None
    if denied or is_over:
        return denied != is_over
    clause = f"{evidence.governing_words} {evidence.speech[slice(*evidence.value)]}{evidence.clause_tail}"
    return not (_STATES.search(clause) or _STILL.search(clause))
