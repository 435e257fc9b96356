"""Translated dates: the time expressions of other languages in the English words that the parser knows."""

import re

_NUMBERS = (
    "ein eine einem einen un una une um uma uno een en ett et jeden jedna один одна год 一 1個",
    "zwei dos deux dois duas due twee två to dwa dwie dva dvě два две 两 兩 二",
    "drei tres trois três tre drie tre trzy tři три 三",
    "vier cuatro quatre quatro quattro vier fyra fire cztery čtyři четыре 四",
    "fünf cinco cinq cinque vijf fem pięć pět пять 五",
    "sechs seis six sei zes sex seks sześć šest шесть 六",
    "sieben siete sept sete sette zeven sju syv siedem sedm семь 七",
    "acht ocho huit oito otto acht åtta otte osiem osm восемь 八",
    "neun nueve neuf nove negen nio ni dziewięć devět девять 九",
    "zehn diez dix dez dieci tien tio ti dziesięć deset десять 十",
)
_COUNTS = {word: number for number, words in enumerate(_NUMBERS, start=1) for word in words.split()}
_UNITS = {
    "day": r"tage?n?|días?|jours?|dias?|giorn[oi]|dag(?:en|ar|er|e)?|dni|dnů|день|дня|дней|天|日間?",
    "week": r"wochen?|semanas?|semaines?|settiman[ae]|weken|week|veckor|vecka|uger|uker?|tygodni\w*|týdn\w+|недел[юиь]"
    r"|周|週間?|星期",
    "month": r"monate?n?|mes(?:es)?|mois|mês|mesi|mese|maand(?:en)?|månad(?:er)?|måned(?:er)?|miesi\w+|měsíc\w*|месяц\w*"
    r"|个月|個月|か月|ヶ月",
    "year": r"jahre?n?|años?|ans?|années?|anos?|ann[oi]|jaar|jaren|år|lat|lata|roku?|roky|let|год|года|лет|年間?",
}
_N = rf"(?P<n>\d{{1,3}}|{'|'.join(sorted(_COUNTS, key=len, reverse=True))})"
_U = "|".join(f"(?P<{unit}>{words})" for unit, words in _UNITS.items())
_LASTS = re.compile(
    rf"(?:\b(?:seit|desde hace|depuis|há|faz|da|sinds|al|i|od|už|уже)\b (?:{_N}) (?:{_U})\b(?! (?:zurück|fa|geleden|sedan"
    rf"|siden|temu|назад))"
    rf"|\bhace (?:{_N.replace('?P<n>', '?P<n2>')}) (?:{_U.replace('?P<', '?P<x')}) que\b)"
)
_AGO = re.compile(
    rf"\b(?:vor|hace|il y a|för|for|před)\b (?:{_N}) (?:{_U})\b(?: sedan| siden)?"
    rf"|(?:\b(?:{_N.replace('?P<n>', '?P<n2>')}) (?:{_U.replace('?P<', '?P<x')})"
    r" (?:fa|atrás|geleden|sedan|siden|temu|назад|zpátky)\b)"
    rf"|(?:{_N.replace('?P<n>', '?P<n3>')}) ?(?:{_U.replace('?P<', '?P<y')})前"
)
_NEAR = {
    "yesterday": r"\b(?:gestern|ayer|hier|ontem|ieri|gisteren|igår|i går|wczoraj|včera|вчера|вчора|dün|eilen|tegnap)\b"
    r"|昨天|昨日|어제",
    "today": r"\b(?:heute|hoy|aujourd'hui|hoje|oggi|vandaag|idag|i dag|dzisiaj|dziś|dnes|сегодня|сьогодні|bugün)\b"
    r"|今天|今日|오늘",
    "tomorrow": r"\b(?:morgen|mañana|demain|amanhã|domani|imorgon|i morgen|jutro|zítra|завтра|yarın|huomenna|holnap)\b"
    r"|明天|明日|내일",
}
_PERIODS = {
    "week": r"woche|semana|semaine|settimana|week|veckan?|uge|uke|tydzień|tygodniu|týden|týdnu|недел[еюя]|hafta"
    r"|周|週|星期|주",
    "month": r"monat|mes|mois|mês|mese|maand|månad(?:en)?|måned|miesiąc|miesiącu|měsíc|měsíci|месяце|месяц|ay|个月|個月|月|달",
    "year": r"jahr|año|an|année|ano|anno|jaar|året?|år|rok|roku|году|год|yıl|年|해",
}
_LAST = (
    r"\b(?:letzte[nrms]?|vorige[nrms]?|vergangene[nrms]?|la|il|lo|afgelopen|vorige|förra|sidste|forrige|zeszły[mn]?|minulý"
    r"|v minulém"
    r"|прошлом|прошлой|прошлый|прошлую|geçen) (?P<unit>{unit})(?: (?:pasad[oa]|derni[eè]re?|passé|scors[oa]|passad[oa]))?\b"
    r"|\b(?:el|la|le|l'|il|no|na|o|a)\s?(?P<unit2>{unit}) (?:pasad[oa]|derni[eè]re?|passée?|scors[oa]|passad[oa])\b"
    r"|(?:上个?|上個?|先|지난 ?)(?:{unit})"
)
_NEXT = (
    r"\b(?:nächste[nrms]?|kommende[nrms]?|volgende?|nästa|næste|neste|przyszł\w+|příští|v příštím|следующ\w+|gelecek"
    r"|önümüzdeki)"
    r" (?P<unit>{unit})\b"
    r"|\b(?:el|la|le|l'|il|no|na|o|a) ?(?:próxim[oa] |prossim[oa] )?(?P<unit2>{unit})"
    r" (?:que viene|próxim[oa]|prochaine?|prossim[oa]|que vem)\b"
    r"|\b(?:el |la |no |na |il |o |a )?(?:próxim[oa]|prossim[oa]) (?P<unit3>{unit})\b|(?:下个?|下個?|来|來|다음 ?)(?:{unit})"
)
_WEEKDAYS = {
    "monday": "montag lunes lundi segunda-feira lunedì maandag måndag mandag poniedziałek pondělí понедельник 星期一 周一 月曜日",
    "tuesday": "dienstag martes mardi terça-feira martedì dinsdag tisdag tirsdag wtorek úterý вторник 星期二 周二 火曜日",
    "wednesday": "mittwoch miércoles mercredi quarta-feira mercoledì woensdag onsdag środę středu среду 星期三 周三 水曜日",
    "thursday": "donnerstag jueves jeudi quinta-feira giovedì donderdag torsdag czwartek čtvrtek четверг 星期四 周四 木曜日",
    "friday": "freitag viernes vendredi sexta-feira venerdì vrijdag fredag piątek pátek пятницу 星期五 周五 金曜日",
    "saturday": "samstag sonnabend sábado samedi sabato zaterdag lördag lørdag sobotę sobotu субботу 星期六 周六 土曜日",
    "sunday": "sonntag domingo dimanche domenica zondag söndag søndag niedzielę neděli воскресенье 星期日 周日 日曜日",
}
_HAN_DATE = re.compile(
    r"(?P<from>从|從|自)?(?P<y>(?:19|20)\d\d)年(?:(?P<m>\d{1,2})月(?:(?P<d>\d{1,2})[日号號])?)?(?P<since>起|开始|開始|以来|以來|から|부터)?"
)
_ENGLISH_ONLY = re.compile(r"[a-z0-9\s.,;:!?'\"()/·-]*")
_ENGLISH_WORDS = re.compile(r"\b(?:i|i'\w+|the|my|and|have|we)\b")


def translate_dates(text: str) -> str:
    """Return a text in lower case with its time expressions in English; English stays as it is.

    «Seit zwei Jahren» becomes «for two years», «le mois prochain» «next month», «2019年3月から» «since 2019-03».
    """
    if _ENGLISH_ONLY.fullmatch(text) and _ENGLISH_WORDS.search(text):
        return text
    text = _HAN_DATE.sub(_han_date, text)
    text = _LASTS.sub(lambda found: f"i have been for {_count(found)} {_unit(found)}s", text)
    text = _AGO.sub(lambda found: f"{_count(found)} {_unit(found)}s ago", text)
    for english, words in _NEAR.items():
        text = re.sub(words, f" {english} ", text)
    text = text.replace("去年", " last year ").replace("明年", " next year ")
    for unit, words in _PERIODS.items():
        text = re.sub(_LAST.format(unit=words), f" last {unit} ", text)
        text = re.sub(_NEXT.format(unit=words), f" next {unit} ", text)
    for english, words in _WEEKDAYS.items():
        named = "|".join(words.split())
        text = re.sub(rf"(?:\b(?:am|el|le|na|il|op|på|w|v|в) )?(?:{named})", f" on {english} ", text)
    return text


def _han_date(found: re.Match[str]) -> str:
    day = "-".join(part.zfill(2) for part in (found["y"], found["m"], found["d"]) if part)
    return f" {'since' if found['from'] or found['since'] else 'in'} {day} "


def _count(found: re.Match[str]) -> str:
    said = next(value for name, value in found.groupdict().items() if value and name[0] == "n")
    return str(_COUNTS.get(said, said))


def _unit(found: re.Match[str]) -> str:
    named = (name for name, value in found.groupdict().items() if value and name[0] != "n")
    return next(name if name in _UNITS else name[1:] for name in named)
