"""What screening reads of a profile. Pure; no numpy."""

from dataclasses import dataclass

from scoring.screening.expand import Expansion, expand


@dataclass(frozen=True)
class Wish:
    """One interest as its owner wrote it. `terms` are the owner's own expansion, if there is one."""

    name: str
    description: str = ""
    weight: float = 1.0
    terms: tuple[str, ...] = ()

    def expansion(self) -> Expansion:
        return expand(self.name, self.description, self.terms)


@dataclass(frozen=True)
class Brief:
    """Wishes in the profile's order, and texts of what is not wanted."""

    wishes: tuple[Wish, ...]
    exclusions: tuple[str, ...] = ()
