"""By which way a message reaches a person: the first that fits, those to fall back to, and why the others do not. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

USUAL_ORDER = ("email", "sms", "pec", "letter")  # what costs nothing first, what takes days last
ALL = "all"  # of the closed ways: nobody may be reached by any


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a person. `address` None: none is known. `unusable`: why an address is none for this way."""

    channel: str
    address: str | None
    preferred: bool = False
    agreed: bool | None = None  # asked: yes, or no; None: nobody has asked yet
    wrong: bool = False  # something came back from there
    unusable: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the message asks for: the ways that fit it, and, for one with legal weight, the only ones allowed, in order."""

    fits: Collection[str]
    legal: bool = False
    legal_order: Sequence[str] = ("pec", "email", "letter")


@dataclass(frozen=True, slots=True)
class Choice:
    """The ways in the order in which they are tried, and why each of the others is left out."""

    order: tuple[Way, ...]
    left_out: Mapping[str, str]

    @property
    def first(self) -> Way | None:
        """The way that is taken; None: no way leads to this person."""
        return self.order[0] if self.order else None

    @property
    def why_none(self) -> str:
        """Every exclusion, as the outbox keeps it: email: no address is known; sms: ..."""
        return "; ".join(f"{channel}: {why}" for channel, why in self.left_out.items())


def choose(
    ways: Iterable[Way],
    asked: Asked,
    *,
    offered: Collection[str],
    closed: Mapping[str, str],
    failed: Collection[str] = (),
) -> Choice:
    """Put the ways in order.

    offered: the channels that this Ponte has. closed: channel (or `ALL`) -> why it is closed to this person.
    failed: the channels by which this very message came back. What a person has chosen comes first, then what they
    have agreed to, then the usual order; a message with legal weight goes by its own order.
    """
    known = {way.channel: way for way in ways}
    order = [one for one in asked.legal_order if one in USUAL_ORDER] if asked.legal else list(USUAL_ORDER)
    fitting: list[Way] = []
    left_out: dict[str, str] = {}
    for channel in USUAL_ORDER:
        way = known.get(channel, Way(channel, None))
        why = _why_not(way, asked, offered, closed, failed, order)
        if why is None:
            fitting.append(way)
        else:
            left_out[channel] = why
    # To have agreed makes an address no more certain: with legal weight only a wish goes before the legal order.
    fitting.sort(key=lambda way: (not way.preferred, not (way.agreed or asked.legal), order.index(way.channel)))
    return Choice(tuple(fitting), left_out)


def _why_not(
    way: Way,
    asked: Asked,
    offered: Collection[str],
    closed: Mapping[str, str],
    failed: Collection[str],
    order: Sequence[str],
) -> str | None:
    """The first reason against a way; None: it may be taken. What protects a person comes first."""
    if ALL in closed:
        return closed[ALL]
    if way.channel in closed:
        return closed[way.channel]
    if way.agreed is False:
        return "the person does not want it"
    if way.channel not in offered:
        return "not set up here"
    if asked.legal and way.channel not in order:
        return "not for messages with legal weight"
    if way.channel not in asked.fits:
        return "this message does not fit"
    if way.unusable is not None:
        return way.unusable
    if way.address is None:
        return "no address is known"
    if way.wrong:
        return "the address is wrong"
    if way.channel in failed:
        return "this message came back from there"
    return None
