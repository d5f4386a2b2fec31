"""From rows to what a model is sent: a revision's words, how much is held for a prompt, the keys of panel and payer.

Pure enough for a page: it names a price without loading what makes the call.
"""

import hashlib
import random
from collections.abc import Mapping
from typing import Any

from profiles.models import Profile, Revision
from scoring import tokens
from scoring.ladder import Abilities, cap_of
from scoring.models import Provider
from scoring.rubric import InterestText, Prompt, RevisionText

# Labels and marks nobody can foresee.
DICE = random.SystemRandom()
# A provider that writes past its cap has its holds widened by this.
UNCAPPED_FACTOR = 1.5


def tokens_to_hold(prompt: Prompt, provider: Provider) -> int:
    cap = cap_of(prompt, Abilities.from_json(provider.abilities))
    if not provider.is_cap_honoured:
        cap = round(UNCAPPED_FACTOR * cap)
    return tokens.with_margin(prompt.input_tokens) + cap


def revision_text(revision: Revision) -> RevisionText:
    """The frozen words of a revision for the prompt."""
    return text_of(revision.content)


def text_of(content: Mapping[str, Any]) -> RevisionText:
    """The same of a revision's content, stored or not."""
    return RevisionText(
        interests=tuple(InterestText(each["name"], each["description"]) for each in content["interests"]),
        exclusions=tuple(content["exclusions"]),
        weighting_prompt=content["weighting_prompt"],
        reason_language=content["reason_language"],
    )


def cache_key(revision: Revision) -> str:
    """The panel's key: the same for all calls with one prefix, and nothing that names a reader."""
    return hashlib.sha256(f"panel {revision.profile_id} {revision.content_hash}".encode()).hexdigest()[:32]


def payer_key(profile: Profile) -> str:
    """What a provider may know of who asks: an opaque, stable key of the team."""
    return hashlib.sha256(f"payer {profile.team.public_id}".encode()).hexdigest()[:32]
