"""What is written where a person could not hear what was said, in the language of the speech."""

_MARKS = {
    "en": ("[inaudible]", "[overlapping voices]"),
    "pt": ("[inaudível]", "[vozes sobrepostas]"),
    "es": ("[inaudible]", "[voces superpuestas]"),
    "fr": ("[inaudible]", "[voix superposées]"),
    "de": ("[unverständlich]", "[mehrere Stimmen]"),
    "it": ("[incomprensibile]", "[voci sovrapposte]"),
}


def of(language: str | None) -> tuple[str, str]:
    """Return the marks of what is inaudible and of several voices at once; English for others.

    >>> of("pt")
    ('[inaudível]', '[vozes sobrepostas]')
    """
    return _MARKS.get(language or "", _MARKS["en"])
