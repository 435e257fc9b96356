"""Persons: the words that name somebody other than the speaker, or the speaker, in some twenty languages."""

import re

PEOPLE = (
    "sister|brother|sibling|mother|mom|mum|mommy|mama|father|dad|daddy|papa|parents?|son|daughter|kids?|child|children|baby"
    "|husband|hubby|wife|spouse|partner|fiancée?|girlfriend|boyfriend|gf|bf|ex|bestie|grandmother|grandma|granny|grandfather"
    "|grandpa|grandparents|aunt|auntie|uncle|cousin|niece|nephew|stepson|stepdaughter|(?:mother|father|sister|brother)-in-law"
    "|in-laws|friends?|buddy|mate|pal|roommate|flatmate|housemate|neighbou?r|colleague|co-?worker|boss|manager|client|customer"
    "|teacher|tutor|doctor|therapist|dentist|coach|landlord|landlady|student|pupil|patient|guy|man|woman|girl|boy|lady|tenant"
    "|person|people|couple|team ?mate|team ?lead|supervisor|assistant|nanny|babysitter|godson|goddaughter|twin"
)
"""What English calls other people."""
_THEY = r"\b(?:he|she|they|his|her|their|you|your)(?:'\w+)?\b|\b(?:some|every|any|no)(?:one|body)\b|\bwho\b|\bpeople\b"
_SOMEBODY = (
    rf"(?<!as )\b(?:my|our|an?|the|this|that|one|another)(?: [\w-]+){{0,2}}? (?:{PEOPLE})(?:'s)?\b"
    r"|\b(?:my|our|the) (?:dog|cat|puppy|kitten)\b"
)
_POSSESSED = (
    # possessives, people
    (
        "mis?|nuestr[oa]s?|tus?|sus?",
        (
            "herman[oa]s?|madre|padres?|mamá|papá|amig[oa]s?|jef[ea]|novi[oa]|espos[oa]|marido|mujer|pareja|hij[oa]s?"
            "|abuel[oa]s?"
            "|tí[oa]s?|prim[oa]s?|sobrin[oa]s?|compañer[oa]s?|vecin[oa]s?|colegas?|suegr[oa]s?|cuñad[oa]s?|profesora?"
        ),
    ),
    (
        "minhas?|meus?|(?:a|o) minha|o meu|noss[oa]s?",
        (
            "irmãs?|irmãos?|mãe|pai|pais|amig[oa]s?|chef[ea]|namorad[oa]|espos[oa]|marido|mulher|filh[oa]s?|av[óô]s?|ti[oa]s?"
            "|prim[oa]s?|sobrinh[oa]s?|colegas?|vizinh[oa]s?|sogr[oa]|cunhad[oa]|companheir[oa]|professora?"
        ),
    ),
    (
        "ma|mon|mes|notre|nos|sa|son|ses",
        (
            "s(?:œ|oe)urs?|frères?|mère|père|parents|maman|papa|amie?s?|chef|patronn?e?|copine?s?|femme|mari|époux|épouse|fils"
            "|filles?"
            "|enfants?|grand-mère|grand-père|tante|oncle|cousine?s?|neveux?|nièces?|collègues?|voisine?s?|coloc\\w*|beau-\\w+"
            "|belle-\\w+"
        ),
    ),
    (
        "mein(?:e[rnms]?|s)?|unser(?:e[rnms]?)?|sein(?:e[rnms]?)?|ihr(?:e[rnms]?)?",
        (
            "schwestern?|bruder|brüder|mutter|vater|eltern|mama|mutti|papa|freund(?:e|in(?:nen)?)?|chef(?:in)?|frau|mann|sohn"
            "|söhne"
            "|tochter|töchter|kind(?:er)?|oma|opa|großeltern|tante|onkel|cousine?|neffe|nichte|kolleg(?:e|en|in)|nachbar(?:n"
            "|in)?"
            "|mitbewohner(?:in)?|partner(?:in)?|vermieter(?:in)?|schwieger\\w+|ärztin|lehrer(?:in)?"
        ),
    ),
    (
        "mi[oae]|miei|(?:il|la) mi[oa]|nostr[oaie]|su[oae]|suoi",
        (
            "sorell[ae]|fratell[oi]|madre|padre|genitori|mamma|papà|babbo|amic[oahie]+|capo|moglie|marito|figli[oae]?"
            "|nonn[oaie]"
            "|zi[oaie]|cugin[oaie]|nipoti?|collegh?[aie]|vicin[oaie]|coinquilin[oaie]|fidanzat[oa]|ragazz[oa]|compagn[oa]"
            "|suocer[oa]"
        ),
    ),
    (
        "mijn|m'n|onze?|zijn|haar",
        (
            "zus(?:sen)?|broer(?:s)?|moeder|vader|ouders|mama|papa|vriend(?:en|in)?|baas|vrouw|man|zoon|dochter|kind(?:eren)?"
            "|oma"
            "|opa"
            "|tante|oom|neef|nicht|collega'?s?|buur\\w*|huisgeno\\w+|partner|schoon\\w+"
        ),
    ),
    (
        "min|mitt|mina|vår|vårt|hans|hennes|mit|mine|vores",
        (
            "syster|syskon|bror|bröder|mamma|pappa|mor|far|föräldrar|vän(?:ner)?|väninna|kompis\\w*|chef|fru|man|make|maka"
            "|sambo"
            "|son"
            "|dotter|barn|mormor|morfar|farmor|farfar|moster|faster|kusin|kollega|granne|flickvän|pojkvän|søster|bror|datter"
            "|søn"
            "|kone"
            "|kæreste|mand|ven|veninde|venn\\w*|kjæreste|sønn|kusine|nabo|sjef|søsken|forældre|foreldre"
        ),
    ),
    (
        "moja|mój|moje|moi|mojej|mojego|nasz|nasza|jego|jej",
        (
            "siostr\\w*|brat\\w*|matk\\w*|mam[aąyę]|ojc\\w+|ojciec|tat[aąyę]|rodzice|przyjaci\\w+|koleg\\w+|koleżank\\w+"
            "|szef\\w*"
            "|żon[aąyę]|mąż|męża|syn\\w*|córk\\w+|dzieci|babci\\w+|dziad\\w+|sąsiad\\w*|dziewczyn\\w+|chłopak\\w*"
            "|współlokator\\w*"
        ),
    ),
    (
        "můj|moje|moji|má|mého|mojí|náš|naše|jeho|její",
        (
            "sestr\\w+|brat[rř]\\w*|matk\\w+|mám[aay]|otec|otce|tát\\w+|rodič\\w*|kamarád\\w*|přítel\\w*|přítelkyně|šéf\\w*"
            "|žena|manžel\\w*|syn\\w*|dcer\\w+|děti|babičk\\w+|děd\\w+|soused\\w*|kolega|kolegyně|spolubydlící"
        ),
    ),
    (
        "моя|мой|мои|моей|моего|моё|наш|наша|его|её|мій|моє|мої",
        (
            "сестр\\w+|брат\\w*|мам[аыеу]|мать|матери|пап[аыеу]|отец|отца|родител\\w+|друг|друзья|подруг\\w+|жен[аыеу]|муж\\w*"
            "|сын\\w*"
            "|доч\\w+|дет\\w+|ребёнок|начальни\\w+|шеф|босс|колле\\w+|сосед\\w*|бабушк\\w+|дедушк\\w+|тёт\\w+|дяд\\w+"
            "|девушк\\w+"
            "|парень|чоловік|дружина|батько|подруга|донька"
        ),
    ),
    (
        "mea|meu|mei|mele|nostru|noastră",
        (
            "sor[ăa]|frate\\w*|mam[ăa]|tat[ăa]|părinți\\w*|prieten\\w*|șef\\w*|soți[ae]|soț\\w*|fi[iu]\\w*|fiic\\w+|copi\\w+"
            "|bunic\\w*"
        ),
    ),
)
_SUFFIXED = (
    r"\b(?:sora|fratele|mama|tatăl|prietena|prietenul|soția|soțul|fiul|fiica|copiii|șeful|șefa|bunica|bunicul) (?:mea|meu|mei"
    r"|mele)\b"
    r"|\b(?:kız kardeşim|kocam|karım|eşim|annem|babam|abim|ablam|kardeşim|kuzenim|arkadaşım|oğlum"
    r"|kızım|patronum|komşum|müdürüm|teyzem|amcam|dayım|halam|dedem|ninem|sevgilim|ev arkadaşım)(?:[ıiuüae]|ın|in|un|ün|la"
    r"|le)?\b"
    r"|\b(?:sisko|veli|äiti|isä|vaimo|mies|poika|tytär|lapsi|ystävä|kaveri|pomo|kämppis|mummo|vaari|serkku|naapuri|tyttöystävä"
    r"|poikaystävä)(?:ni|mme)\b"
    r"|\b(?:a |az )?(?:nővérem|húgom|bátyám|öcsém|anyám|anyukám|apám|apukám|barátom|barátnőm|férjem|feleségem|fiam|lányom"
    r"|főnököm"
    r"|kollégám|szomszédom|nagymamám|nagypapám|gyerekeim|unokatestvérem)\b"
    r"|\b(?:kakak|adik|ibu|bapak|ayah|mama|papa|istri|suami|anak|teman|bos|pacar|kakek|nenek|sepupu|tetangga|atasan)(?: saya"
    r"| aku|ku)\b"
    r"|\b(?:η|ο|τα|οι) (?:αδερφή|αδελφή|αδερφός|αδελφός|μητέρα|μαμά|πατέρας|μπαμπάς|γυναίκα|άντρας|γιος|κόρη|φίλη|φίλος|παιδιά"
    r"|γονείς"
    r"|γιαγιά|παππούς|συνάδελφος|αφεντικό) μου\b"
    r"|\b(?:chị|anh|em|mẹ|má|bố|ba|vợ|chồng|con|bạn|sếp|ông|bà|con trai|con gái) (?:gái |trai |thân )?(?:của )?tôi\b"
    r"|(?<!\w)(?:أختي|أخي|أمي|أبي|والدي|والدتي|زوجتي|زوجي|ابني|ابنتي|صديقي|صديقتي|مديري|جدتي|جدي|عمي|خالي|زميلي|جاري)(?!\w)"
    r"|(?<!\w)(?:אחותי|אחי|אמא שלי|אבא שלי|אשתי|בעלי|הבן שלי|הבת שלי|חבר שלי|חברה שלי|הבוס שלי|סבתא שלי|סבא שלי|השכן שלי)(?!\w)"
    r"|(?:मेरी|मेरे|मेरा) (?:बहन|भाई|माँ|मां|पिता|पापा|पत्नी|पति|बेटा|बेटी|दोस्त|बॉस|दादी|दादा|नानी|नाना|चाचा|मामा)"
    r"|(?:พี่สาว|พี่ชาย|น้องสาว|น้องชาย|แม่|พ่อ|ภรรยา|สามี|แฟน|เพื่อน|ลูกชาย|ลูกสาว|ลูก|หัวหน้า|ยาย|ตา|ปู่|ย่า)(?:ของ)?(?:ฉัน"
    r"|ผม|ดิฉัน|เรา)"
)
_UNSPACED = (
    "我的?(?:室友|邻居|鄰居|表[姐妹哥弟]|奶奶|爷爷|爺爺|外婆|外公|阿姨|叔叔|舅舅|姑姑|女朋友|男朋友|孩子|姐姐?|妹妹?|哥哥?|弟弟?|妈妈?|媽媽?|爸爸?"
    "|母亲|母親|父亲|父親|父母|朋友|同事|老板|老闆|儿子|兒子|女儿|女兒|妻子|丈夫|老公|老婆|太太|先生)|(?<!其)他|她"
    "|(?:妹|姉|兄|弟|母|父|妻|夫|嫁|旦那|主人|息子|娘|祖母|祖父|おばあさん|おじいさん|おば|おじ|いとこ|友達|友人|親友|彼女?|彼氏|同僚|上司|部下|先輩|後輩"
    "|隣人|大家|両親|母親|父親|子供|子ども|赤ちゃん|ルームメイト)(?:たち)?(?:は|が|も|の)"
    "|(?:여동생|남동생|동생|언니|누나|오빠|형|엄마|아빠|어머니|아버지|부모님|친구|아내|남편|아들|딸|상사|동료|이웃|할머니|할아버지|사촌|룸메이트|여자친구"
    "|남자친구)(?:은|는|이|가|도|의)"
)
_THEY_ELSEWHERE = (
    r"\b(?:él|ella|ellos|ellas|ele|ela|eles|elas|elle|ils|elles|er|sie|lui|lei|loro|hij|zij|он|она|они|він|вона|вони|han|hon"
    r"|hun"
    r"|ona|oni|ő|ők|αυτός|αυτή)\b"
    r"|\bil (?:n'|ne |s'|se |y |en |lui |m')?(?:est|a|vit|va|fait|habite|aime|adore|déteste|travaille|joue|parle|étudie|vient"
    r"|veut|mange)\b"
)
_ELSEWHERE = "|".join(rf"\b(?:{owners}) (?:[^\W\d_]+ )?(?:{people})\b" for owners, people in _POSSESSED)
_OTHER = f"{_SOMEBODY}|{_ELSEWHERE}|{_SUFFIXED}|{_UNSPACED}"
THIRD = re.compile(f"{_THEY}|{_THEY_ELSEWHERE}|{_OTHER}")
"""Somebody other than the speaker."""
FIRST = re.compile(
    r"\b(?:i|im|ive|we|me|myself|my|mine|our|us)(?:'\w+)?\b"
    r"|\b(?:yo|je|moi|ich|io|eu|ik|jag|jeg|minä|én|saya|aku|tôi|εγώ|я)\b|\bj'|(?<![他她])我|私|僕|俺|저는|제가|나는|내가"
    r"|(?<!\w)(?:أنا|אני|मैं|ben)(?!\w)|ฉัน(?!\w)|ผม"
)
COMPOUND_ELSEWHERE = (
    r"\b(?:y|e|et|und|en|och|og|i|a|и|та|és|ve|ja|și|και|dan|và|or) (?:yo|eu|moi|ich|ik|io|jag|jeg|ja|já|я|én|ben|minä|eu|εγώ"
    r"|saya|tôi)\b"
    r"|\b(?:yo|eu|moi|ich|ik|io|jag|jeg|já|я|én|ben|minä) (?:y|e|et|und|en|och|og|i|a|и|та|és|ve|ja) [^\W\d_]+\b"
    r"|(?:和|跟|与)我|我(?:和|跟|与)|私と|と私|[와과] (?:저|나)|(?:저|나)[와랑]|(?<!\w)(?:أنا و|אני ו|मैं और)"
)
"""A subject that the speaker is part of, in other languages than English: «mi hermano y yo»."""
