"""Tasks made by code, in which an answer lies far back in the context: what eviction must not lose.

A task is some facts to hide at random depths in other text, and questions about them, asked in turns of a chat.
Each maker draws names, numbers and wording from a random generator of its own seed.
"""

import random
import string
from dataclasses import dataclass

CITIES = "Lisbon Oslo Kyoto Quito Cairo Dublin Prague Lima Hanoi Tunis Perth Boston Seoul Riga Turin Lyon Dakar".split()
NAMES = "Ada Bruno Clara Dmitri Elena Farid Grace Hiro Ines Jonas Kofi Lena Mara Nils Olga Pavel Rosa Samir".split()
THINGS = "ladder violin compass teapot lantern carpet anchor telescope kettle umbrella saddle mirror basket".split()
COLOURS = "red blue green yellow purple orange silver golden white black brown pink".split()
DISHES = "stew pudding omelette curry salad soup pie risotto goulash chowder dumplings pancakes".split()
SPICES = "saffron cardamom nutmeg thyme cumin rosemary fennel paprika ginger sage cinnamon tarragon".split()


@dataclass(frozen=True)
class Task:
    opening: str  # before the text in which facts are hidden
    facts: list[str]
    turns: list[tuple[str, str]]  # question, answer
    haystack: bool = True  # False: the facts alone, one after the other, are the context


def monotony(rng: random.Random) -> str:
    """A paragraph of short sentences: repeated, it is text in which nothing but what is hidden is new."""
    makers = [
        lambda: f"The {rng.choice(THINGS)} is {rng.choice(COLOURS)}.",
        lambda: f"{rng.choice(NAMES)} likes {rng.choice(DISHES)}.",
        lambda: f"It is {rng.choice(['cold', 'warm', 'late', 'early', 'quiet', 'windy'])} in {rng.choice(CITIES)}.",
        lambda: rng.choice(["Nothing happened.", "Time went by.", "And so it went on.", "All was as before."]),
    ]
    return " ".join(rng.choice(makers)() for _ in range(rng.randint(2, 8))) + rng.choice([" ", "\n"])


def make_task(rng: random.Random) -> Task:
    """One of all kinds, the ones with hidden facts twice as often."""
    makers = [passkeys, needles, registry, variables] * 2 + [copy_list, arithmetic]
    return rng.choice(makers)(rng)


def passkeys(rng: random.Random) -> Task:
    """Numbers to remember word for word, one or a few."""
    count = rng.choice([1, 1, 2, 3])
    kinds = rng.sample(["pass key", "access code", "vault number", "locker number", "secret code"], count)
    keys = [str(rng.randrange(10 ** rng.randint(3, 6), 10**7)) for _ in kinds]
    phrasings = ["The {0} is {1}. Remember it.", "Remember this: the {0} is {1}.", "Note that the {0} is {1}."]
    facts = [rng.choice(phrasings).format(kind, key) for kind, key in zip(kinds, keys)]
    turns = [(f"What is the {kind}?", f"The {kind} is {key}.") for kind, key in zip(kinds, keys)]
    rng.shuffle(turns)
    return Task("There is important information hidden in the following text. Find and remember it.\n\n", facts, turns)


def needles(rng: random.Random) -> Task:
    """Sentences like any other that are asked about at the end."""
    facts, turns = [], []
    for name in rng.sample(NAMES, rng.randint(1, 4)):
        city, thing, colour = rng.choice(CITIES), rng.choice(THINGS), rng.choice(COLOURS)
        dish, spice = rng.choice(DISHES), rng.choice(SPICES)
        facts, turns = _add(
            facts,
            turns,
            rng.choice(
                [
                    (f"{name} moved to {city} last spring.", f"Where did {name} move?", f"{name} moved to {city}."),
                    (
                        f"{name} bought a {colour} {thing} at the market.",
                        f"What did {name} buy at the market?",
                        f"{name} bought a {colour} {thing}.",
                    ),
                    (
                        f"The secret ingredient of {name}'s {dish} is {spice}.",
                        f"What is the secret ingredient of {name}'s {dish}?",
                        f"It is {spice}.",
                    ),
                ]
            ),
        )
    return Task("Read the following text. Questions about it come after it.\n\n", facts, turns)


def registry(rng: random.Random) -> Task:
    """Many keys with values; some are asked for."""
    count = rng.randint(4, 16)
    keys = rng.sample(NAMES, 2) + [
        "".join(rng.choices(string.ascii_lowercase, k=rng.randint(4, 7))) for _ in range(count)
    ]
    values = {key: str(rng.randrange(1000, 1000000)) for key in keys}
    facts = [f"The number of {key} is {value}." for key, value in values.items()]
    rng.shuffle(facts)
    asked = rng.sample(keys, min(len(keys), rng.randint(2, 5)))
    turns = [(f"What is the number of {key}?", f"The number of {key} is {values[key]}.") for key in asked]
    return Task("The following text mentions the numbers of several people and things.\n\n", facts, turns)


def variables(rng: random.Random) -> Task:
    """Chains of assignments: which variables hold a value?"""
    facts, turns = [], []
    for letter in rng.sample(string.ascii_uppercase, rng.randint(1, 3)):
        value, chain = rng.randrange(10000, 99999), [f"{letter}{i}" for i in range(1, rng.randint(2, 5))]
        facts.append(f"VAR {chain[0]} = {value}.")
        facts += [f"VAR {later} = VAR {earlier}." for earlier, later in zip(chain, chain[1:])]
        turns.append((f"What is the value of VAR {chain[-1]}?", f"The value of VAR {chain[-1]} is {value}."))
    return Task("Keep track of the variables that are assigned in the following text.\n\n", facts, turns)


def copy_list(rng: random.Random) -> Task:
    """A list to repeat word for word."""
    items = [f"{rng.choice(COLOURS)} {rng.choice(THINGS)} from {rng.choice(CITIES)}" for _ in range(rng.randint(5, 30))]
    listed = "\n".join(f"{number}. {item}" for number, item in enumerate(items, 1))
    return Task("", [listed], [("Repeat the list above word for word.", listed)], haystack=False)


def arithmetic(rng: random.Random) -> Task:
    """Sums and products of small numbers, step by step, several in a row."""
    turns = []
    for _ in range(rng.randint(4, 12)):
        a, b, c = rng.randint(2, 99), rng.randint(2, 99), rng.randint(2, 9)
        turns.append(
            rng.choice(
                [
                    (f"What is {a} + {b}?", f"{a} + {b} = {a + b}."),
                    (f"What is {a} + {b} - {c}?", f"{a} + {b} = {a + b}, and {a + b} - {c} = {a + b - c}."),
                    (f"What is {c} * {a % 10}?", f"{c} * {a % 10} = {c * (a % 10)}."),
                    (
                        f"{rng.choice(NAMES)} has {a} coins and finds {b} more. How many are there now?",
                        f"{a} + {b} = {a + b}, so there are {a + b} coins.",
                    ),
                ]
            )
        )
    return Task("", [], turns, haystack=False)


def _add(facts, turns, drawn):
    fact, question, answer = drawn
    return [*facts, fact], [*turns, (question, answer)]
