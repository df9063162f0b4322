"""Realistic demo data from a seed: bots, contacts and segments.

Nobody can be reached: addresses are at example domains (RFC 2606), and numbers are in the ranges that the regulators
of the four countries reserve for fiction.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from accounts.models import User
from accounts.orm.object_ids import ID_LENGTH
from botpenguin.platform.models import Bot, Contact, Platform, Segment

CONTACT_COUNT = 500
# Name, platform, age in days, and percentage of the contacts.
BOTS = [
    ("Shop assistant", Platform.WEBSITE, 210, 66),
    ("Table bookings", Platform.WHATSAPP, 150, 26),
    ("Night desk", Platform.TELEGRAM, 95, 8),
]
SEGMENTS = [
    ("Customers", ["customer", "returning"]),
    ("Newsletter", ["newsletter"]),
    ("VIP", ["vip", "wholesale"]),
]
# Country, prefix, how a number starts, how many digits follow, first and last names.
COUNTRIES = [
    (
        *("United Kingdom", "44", ["7700900"], 3),
        "Amelia Arthur Freya George Harriet Imogen Jack Niamh Oliver Priya Rhys Zara",
        "Ahmed Bennett Clarke Davies Evans Hughes Khan Morgan Patel Shaw Taylor Walker",
    ),
    (
        *("United States", "1", ["21255501", "31255501", "41555501", "61755501", "20655501"], 2),
        "Aaliyah Benjamin Camila Ethan Grace Isaiah Luna Mateo Olivia Sofia Tyler Wei",
        "Brooks Carter Chen Garcia Johnson Kim Lopez Miller Nguyen Reed Rivera Turner",
    ),
    (
        *("France", "33", ["63998"], 4),
        "Adèle Baptiste Camille Élodie Gabriel Inès Jules Léa Manon Noé Théo Yasmine",
        "Benali Bernard Dubois Faure Girard Lambert Lefèvre Moreau Petit Renard Roux Simon",
    ),
    (
        *("Germany", "49", ["3023125"], 3),
        "Anton Clara Emilia Fritz Greta Jonas Lena Mehmet Mila Paul Sönke Theresa",
        "Becker Fischer Hofmann Jäger Krüger Lang Neumann Schäfer Schulz Vogel Weiß Winter",
    ),
]
DOMAINS = ["example.com", "example.net", "example.org"]
# Percentages of the contacts.
TAGS = {
    "customer": 38,
    "lead": 30,
    "newsletter": 26,
    "returning": 16,
    "support": 12,
    "trial": 10,
    "vip": 6,
    "wholesale": 4,
}
STATUSES = {"OPEN": 34, "INPROGRESS": 16, "REVIEW": 8, "ONHOLD": 6, "DEPENDANCY": 4, "CLOSED": 32}
ATTRIBUTES: dict[str, list[Any]] = {
    "plan": ["Free", "Team", "Business"],
    "source": ["Search", "Newsletter", "A friend", "Shop window"],
    "city": ["Bristol", "Boston", "Lyon", "Leipzig", "Leeds", "Seattle"],
    "orders": [1, 2, 3, 5, 8, 13],
}
NOTES = [
    "Asked to be called back after six.",
    "Prefers short answers.",
    "Wants an invoice for each order.",
    "Booked for eight, window seat.",
]


def bots(owner: User, now: datetime) -> list[Bot]:
    return [
        Bot(
            id=_id(owner, "bot", index),
            owner=owner,
            name=name,
            platform=platform,
            created_at=now - timedelta(days=age),
        )
        for index, (name, platform, age, _) in enumerate(BOTS)
    ]


def segments(owner: User) -> list[Segment]:
    return [
        Segment(id=_id(owner, "segment", index), owner=owner, name=name, tags=tags)
        for index, (name, tags) in enumerate(SEGMENTS)
    ]


def contacts(owner: User, bots: list[Bot], now: datetime, seed: int) -> Iterator[tuple[Contact, list[str]]]:
    """Make contacts, each with the names of its tags."""
    chance = Random(seed)  # noqa: S311 - not for secrets
    taken: set[str] = set()
    for index in range(CONTACT_COUNT):
        [bot] = chance.choices(bots, [share for *_, share in BOTS])
        person = _person(chance, taken, needs_phone=bot.platform == Platform.WHATSAPP)
        contact = Contact(
            id=_id(owner, "contact", index),
            owner=owner,
            bot=bot,
            platform=bot.platform,
            **person,
            **_past(chance, bot, now),
        )
        yield contact, [tag for tag, percent in TAGS.items() if _happens(chance, percent)]


def _person(chance: Random, taken: set[str], *, needs_phone: bool) -> dict[str, Any]:
    """Make up a name, an email and a number; sometimes one is missing."""
    country, prefix, starts, length, first_names, last_names = chance.choice(COUNTRIES)
    name = f"{chance.choice(first_names.split())} {chance.choice(last_names.split())}"
    person = {"name": name, "country": country, "email": "", "phone": "", "phone_prefix": ""}
    if needs_phone or _happens(chance, 55):
        number = _first_untaken(taken, (_number(chance, prefix, starts, length) for _ in count()))
        person |= {"phone": number, "phone_prefix": prefix}
    if not person["phone"] or _happens(chance, 80):
        domain, local = chance.choice(DOMAINS), _without_accents(name).lower().replace(" ", ".")
        person["email"] = _first_untaken(taken, (f"{local}{number or ''}@{domain}" for number in count()))
    if _happens(chance, 7):
        person["name"] = ""
    return person


def _past(chance: Random, bot: Bot, now: datetime) -> dict[str, Any]:
    """Make up times, status and attributes of a contact."""
    created_at = now - (now - bot.created_at) * chance.random()
    last_seen_at = now - (now - created_at) * chance.random()
    is_waiting = _happens(chance, 18)
    return {
        "created_at": created_at,
        "last_seen_at": last_seen_at,
        "last_message_at": last_seen_at,
        "last_message_by": "user" if is_waiting else "bot",
        "unread_messages": chance.randint(1, 5) if is_waiting else 0,
        "status": chance.choices(list(STATUSES), list(STATUSES.values()))[0],
        "is_subscriber": _happens(chance, 40),
        "is_imported": _happens(chance, 20),
        "attributes": {key: chance.choice(values) for key, values in ATTRIBUTES.items() if _happens(chance, 60)},
        "notes": [chance.choice(NOTES)] if _happens(chance, 12) else [],
    }


def _happens(chance: Random, percent: int) -> bool:
    return chance.random() * 100 < percent


def _number(chance: Random, prefix: str, starts: list[str], length: int) -> str:
    return f"{prefix}{chance.choice(starts)}{chance.randrange(10**length):0{length}}"


def _first_untaken(taken: set[str], candidates: Iterable[str]) -> str:
    found = next(candidate for candidate in candidates if candidate not in taken)
    taken.add(found)
    return found


def _without_accents(name: str) -> str:
    return unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()


def _id(owner: User, kind: str, index: int) -> str:
    """Return the same id in each run, so that a second run adds nothing twice."""
    digest = hashlib.sha256(f"{owner.pk} {kind} {index}".encode()).hexdigest()
    return f"{int(owner.joined_at.timestamp()):08x}{digest}"[:ID_LENGTH]
