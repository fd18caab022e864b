"""What the parameters and figures of guards say in words, in both languages."""

from states.document import Text

WORDS = {
    "work": Text(it="lavoro", en="work"),
    "payment": Text(it="piano di rientro", en="payment"),
    "community": Text(it="percorso civico", en="community"),
    "regular": Text(it="regolare", en="regular"),
    "watch": Text(it="da osservare", en="to watch"),
    "contained": Text(it="contenuta", en="contained"),
    "persistent": Text(it="persistente", en="persistent"),
    "serious": Text(it="grave", en="serious"),
}


def word(value: object, language: str) -> str:
    """The word for a value; one that has none is shown as it is."""
    return WORDS[value].in_(language) if isinstance(value, str) and value in WORDS else str(value)
