"""Which words a text is about: TF-IDF over words and pairs of words, in Portuguese and English.

Sparck Jones 1972, with the smoothing that scikit-learn uses: a word that every text has keeps
some weight, so that a library of one transcript still has key terms.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from transcrevai_core.transcript.script import APOSTROPHES, HYPHENS, MARKS, composed

_LETTERS = rf"[^\W\d_](?:[^\W\d_]|[{MARKS}])*"
_WORD = re.compile(rf"{_LETTERS}(?:[{HYPHENS}{APOSTROPHES}]{_LETTERS})*")
_SHORTEST = 3  # letters
# what holds sentences together, and what people say while they think
_PT = """
acho agora ah ainda além algo algum alguma algumas alguns ali ano anos ante antes ao aos apenas
aquela aquelas aquele aqueles aquilo aqui as assim até bem boa bom cada com coisa coisas como
contra cujo da daí dar das de dela delas dele deles depois desde dessa desse desta deste deve devem
dia dias disso disto diz dizer do dos durante e ela elas ele eles em embora enquanto então entre
era eram essa essas esse esses esta estamos estão estar estas estava este estes estou está eu faz
fazer fez foi fora foram gente hoje há ir isso isto já lá lhe lhes logo mais mas me melhor menos
mesma mesmo meu meus minha minhas muita muitas muito muitos na nada nas nem nenhum nessa nesse nesta
neste ninguém no nos nossa nossas nosso nossos num numa nunca não né nós o oi ok onde ora os ou
outra outras outro outros para parte pela pelas pelo pelos per pode podem pois por porque porém pra
precisa precisamos pro própria próprio quais qual quando quanto que quem quer queria quero quê se
seja sem sempre sendo ser será seu seus si sido sim sob sobre somos sou sua suas são só tal talvez
também tanto tchau te tem temos tenho ter teve tinha toda todas todo todos tudo tá têm uma umas uns
vai vamos ver vez vezes vi você vocês vou à às é óbvio obrigada obrigado
um dois duas três quatro cinco seis sete oito nove dez vinte trinta quarenta cinquenta cem cento mil
milhão milhões primeiro primeira segundo segunda
"""
_EN = """
about actually after again all almost also although always and another any anything are aren't
around because been before being both but bye can can't come could couldn't did didn't does doesn't
doing don't done down each else even ever every everything few for from get gets getting give goes
going gonna good got great had has have haven't having hello her here hers him his how i'd i'll i'm
i've into isn't it it's its just kind know let let's like little look lot made make many may maybe
mean might more most much must need never nice not nothing now off okay one only onto other our ours
out over own please put quite rather really right said same say says see she should since some
something still such sure take than thank thanks that that's the their them then there there's these
they they're thing things think this those though through today together too two three four five six
seven eight nine ten hundred thousand million until upon very wasn't want was way we'll we're we've
well went were what what's when where which while who whole whose why will with within without won't
would yeah year years yes yet you you'll you're you've your yours first second
"""
STOP_WORDS = frozenset(f"{_PT} {_EN}".split())


def occurrences(text: str) -> Iterator[tuple[str, int]]:
    """Yield each term of a text and where it begins: words that carry meaning, and pairs of them.

    >>> [term for term, _ in occurrences("O orçamento anual, e o prazo.")]
    ['orçamento', 'anual', 'orçamento anual', 'prazo']
    """
    before: re.Match[str] | None = None
    for match in _WORD.finditer(text):
        word = composed(match[0]).lower().replace("’", "'")
        if len(word) < _SHORTEST or word in STOP_WORDS:
            before = None
            continue
        yield word, match.start()
        if before is not None and text[before.end() : match.start()].isspace():
            yield f"{composed(before[0]).lower()} {word}", before.start()
        before = match


def document_frequencies(
    candidates: Collection[str], documents: Iterable[Iterable[str]]
) -> tuple[Counter[str], int]:
    """Count in how many documents, each so many texts, each candidate stands; and the documents."""
    known, found, number = frozenset(candidates), Counter[str](), 0
    for document in documents:
        number += 1
        found.update(known.intersection(term for text in document for term, _ in occurrences(text)))
    return found, number


def key_terms(
    counts: Mapping[str, int], others: Mapping[str, int], number: int, most: int = 12
) -> Sequence[str]:
    """Return the terms that tell a text from `number` others, weightiest first.

    `counts`: how often each term stands in the text, where once is not enough; `others`: in how
    many of the others. Of a pair the words are left out that hardly stand alone.

    >>> key_terms({"prazo": 3, "equipe": 4}, {"equipe": 9}, 9)
    ('prazo', 'equipe')
    """
    pairs = {term: count for term, count in counts.items() if " " in term and count > 1}
    inside: Counter[str] = Counter()
    for pair, count in pairs.items():
        inside.update(dict.fromkeys(pair.split(), count))

    def weight(term: str) -> float:
        # the text itself is one of the documents
        return counts[term] * (math.log((2 + number) / (2 + others.get(term, 0))) + 1)

    kept = [
        term
        for term, count in counts.items()
        if count > 1 and (term in pairs if " " in term else count > 1.5 * inside[term])
    ]
    return tuple(sorted(kept, key=lambda term: (-weight(term), term))[:most])
