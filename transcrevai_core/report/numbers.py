"""The numbers, dates and times of day that a text names, in Portuguese and in English.

Found by how they are written, in digits or in words; what they mean is not guessed.
"""

import re
from collections.abc import Iterator

from transcrevai_core.transcript.script import INSIDE

_PT_MONTHS = (
    "janeiro|fevereiro|março|abril|maio|junho|julho|agosto|setembro|outubro|novembro|dezembro"
)
# March and May are other words too, unless a number stands beside them
_EN_MONTHS = "january|february|april|june|july|august|september|october|november|december"
_EN_DATED = f"{_EN_MONTHS}|(?-i:March|May)"
_DAYS = (
    "(?:segunda|terça|quarta|quinta|sexta)-feira|sábado|domingo|"
    "(?:mon|tues|wednes|thurs|fri|satur|sun)day"
)
_PT_WORDS = (
    "um|uma|dois|duas|três|quatro|cinco|seis|sete|oito|nove|dez|onze|doze|treze|catorze|quatorze|"
    "quinze|dezesseis|dezessete|dezoito|dezenove|vinte|trinta|quarenta|cinquenta|sessenta|setenta|"
    "oitenta|noventa|cem|cento|duzent[oa]s|trezent[oa]s|quatrocent[oa]s|quinhent[oa]s|"
    "seiscent[oa]s|setecent[oa]s|oitocent[oa]s|novecent[oa]s"
)
_EN_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|"
    "sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
)
_TIMES = "mil|milhão|milhões|bilhão|bilhões|trilhão|trilhões|hundred|thousand|million|billion"
_UNITS = (
    r"%|por\ cento|per\ ?cent|reais|centavos?|dólar(?:es)?|euros?|dollars?|pounds?|segundos?|"
    "minutos?|horas?|dias?|semanas?|m[eê]s(?:es)?|anos?|seconds?|minutes?|hours?|days?|weeks?|"
    "months?|years?"
)
_SHORT = "km/h|kms?|cm|mm|m[²³]?|kg|mg|g|ml|l|ha|kwh|mw|[kmgt]b|h|min|s|°[cf]|°"
# of telephones, persons, companies and addresses, each as one
_CODES = (
    r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}|\d{5}-\d{3}|"
    r"(?:\+\d{1,3}\ ?)?(?:\(\d{2,3}\)\ ?|\d{2,3}[\ -])?(?:9\ ?\d{4}|\d{3,4})-\d{4}"
)
_DIGITS = r"\d+(?:[.,]\d+)*(?:º|ª|(?:st|nd|rd|th)\b)?"
_WORDED = (
    rf"(?:{_PT_WORDS}|{_EN_WORDS}|{_TIMES})"
    rf"(?:(?:\ e\ |\ and\ |-|\ )(?:{_PT_WORDS}|{_EN_WORDS}|{_TIMES})\b)*"
)
_DAY = r"(?:primeiro|\d{1,2}(?:º|st|nd|rd|th)?)"
_MENTION = re.compile(
    rf"""(?<![\w.,/:$])(?:
        \d{{4}}-\d{{2}}-\d{{2}}
      | (?:{_CODES})
      | \d{{1,2}}/\d{{1,2}}(?:/\d{{2,4}})?
      | {_DAY}\ de\ (?:{_PT_MONTHS})(?:\ de\ \d{{4}})?
      | (?:{_PT_MONTHS})(?:\ de\ \d{{4}})?
      | {_DAY}\ (?:of\ )?(?:{_EN_DATED})(?:,?\ \d{{4}})?
      | (?:{_EN_DATED})\ \d{{1,2}}(?:st|nd|rd|th)?(?:,?\ \d{{4}})?(?!\d)
      | (?:{_EN_DATED})\ \d{{4}}
      | (?:{_EN_MONTHS})
      | (?:{_DAYS})
      | \d{{1,2}}\ ?h(?:\d{{2}})?(?:min)?
      | \d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\ ?[ap]\.?m\b)?
      | \d{{1,2}}\ ?[ap]\.?m
      | (?:(?:R|US)?\$|€|£)\ ?{_DIGITS}(?:\ (?:{_TIMES}))*
      | [-−]?{_DIGITS}(?:\ (?:{_TIMES}))*\ ?(?:{_SHORT})
      | (?:[-−]?{_DIGITS}|{_WORDED})(?:\ (?:{_TIMES}))*(?:\ ?(?:de\ )?(?:{_UNITS}))?
    )(?![{INSIDE}])""",
    re.IGNORECASE | re.VERBOSE,
)
_VAGUE = ("um", "uma", "one", "um dia", "one day")  # these rarely count anything


def mentions(text: str) -> Iterator[tuple[str, int]]:
    """Yield each number, date or time of day as it is written, and where it begins.

    >>> [said for said, _ in mentions("Gastamos 30 mil reais até 3 de março, às 14h30.")]
    ['30 mil reais', '3 de março', '14h30']
    >>> [said for said, _ in mentions("Twenty-two people, one by one, on May 3rd, 2024.")]
    ['Twenty-two', 'May 3rd, 2024']
    """
    for match in _MENTION.finditer(text):
        if match[0].lower() not in _VAGUE:
            yield match[0], match.start()
