"""The words in which Portuguese and English say numbers, without accents and in lower case."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NumberWords:
    """How a language says numbers."""

    small: Mapping[str, int]  # up to 999
    scales: Mapping[str, int]
    ordinals: Mapping[str, int]
    joined_by: str
    always_joined: bool  # "vinte e três", but "twenty three"
    points: tuple[str, ...]
    percent: tuple[tuple[str, ...], ...]
    halves: tuple[tuple[str, ...], ...]
    money: Mapping[str, str]  # each word and sign to one word
    cents: Mapping[str, str]  # to the money that they are of
    ones: tuple[str, ...] = ()  # words that mean 1 before a scale

    def knows(self, word: str) -> bool:
        """Tell whether a word is a number, or joins two."""
        return (
            word in self.small
            or word in self.scales
            or word in self.ordinals
            or word == self.joined_by
        )


def _numbered(words: str, step: int = 1, start: int = 1) -> dict[str, int]:
    """Number words; those between bars are the same number."""
    return {
        word: (start + place) * step
        for place, same in enumerate(words.split())
        for word in same.split("|")
    }


_PT = NumberWords(
    small=_numbered("zero", start=0)
    | _numbered(
        "um|uma dois|duas tres quatro cinco seis sete oito nove dez onze doze treze "
        "catorze|quatorze quinze dezesseis|dezasseis dezessete|dezassete dezoito dezenove|dezanove"
    )
    | _numbered("vinte trinta quarenta cinquenta sessenta setenta oitenta noventa", 10, 2)
    | _numbered(
        "cem|cento duzentos|duzentas trezentos|trezentas quatrocentos|quatrocentas "
        "quinhentos|quinhentas seiscentos|seiscentas setecentos|setecentas oitocentos|oitocentas "
        "novecentos|novecentas", 100,
    ),
    scales={"mil": 1000}
    | dict.fromkeys(("milhao", "milhoes"), 10**6)
    | dict.fromkeys(("bilhao", "bilhoes"), 10**9)
    | dict.fromkeys(("trilhao", "trilhoes"), 10**12),
    ordinals={
        f"{stem}{end}": value
        for stem, value in (
            _numbered("primeir segund terceir quart quint sext setim|septim oitav non decim")
            | _numbered(
                "vigesim trigesim quadragesim quinquagesim sexagesim septuagesim|setuagesim "
                "octogesim nonagesim centesim", 10, 2,
            )
        ).items()
        for end in ("o", "a", "os", "as")
    },
    joined_by="e",
    always_joined=True,
    points=("virgula", "ponto"),
    percent=(("por", "cento"),),
    halves=(("e", "meio"), ("e", "meia")),
    money={"r$": "reais", "real": "reais", "reais": "reais", "us$": "dólares", "$": "dólares",
           "dolar": "dólares", "dolares": "dólares", "€": "euros", "euro": "euros",
           "euros": "euros", "£": "libras", "libra": "libras", "libras": "libras"},
    cents={"centavo": "reais", "centavos": "reais", "centimo": "euros", "centimos": "euros"},
)  # fmt: skip
_EN = NumberWords(
    small=_numbered("zero", start=0)
    | _numbered(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen"
    )
    | _numbered("twenty thirty forty fifty sixty seventy eighty ninety", 10, 2),
    scales={"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9,
            "trillion": 10**12},
    ordinals=_numbered(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
        "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
    )
    | _numbered(
        "twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth", 10, 2
    ),
    joined_by="and",
    always_joined=False,
    points=("point",),
    percent=(("percent",), ("per", "cent")),
    halves=(("and", "a", "half"),),
    money={"r$": "reais", "reais": "reais", "us$": "dollars", "$": "dollars", "dollar": "dollars",
           "dollars": "dollars", "€": "euros", "euro": "euros", "euros": "euros", "£": "pounds",
           "pound": "pounds", "pounds": "pounds"},
    cents={"cent": "dollars", "cents": "dollars", "pence": "pounds"},
    ones=("a",),
)  # fmt: skip
LANGUAGES: Mapping[str, NumberWords] = {"pt": _PT, "en": _EN}
