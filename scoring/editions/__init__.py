"""An edition's life: opened, screened, read, closed, reopened for what came late.

The packed list is the whole day; candidates are its working set. Whoever changes one changes the other in the
same transaction (`move`). Screening needs numpy: only what tasks and commands import may import this package.
Pages ask `scoring.accounts` for the account, and `scoring.edits` for what an edit of a profile does at once.
"""

from scoring.accounts import Account, account, audit

from .closing import close, expire_waiting, move
from .deepening import deepen
from .estimating import brief_of
from .late import recount, reopen
from .opening import NothingAnnounced, open_edition, open_newest
from .screening import rescreen, screen

__all__ = [
    "Account",
    "NothingAnnounced",
    "account",
    "audit",
    "brief_of",
    "close",
    "deepen",
    "expire_waiting",
    "move",
    "open_edition",
    "open_newest",
    "recount",
    "reopen",
    "rescreen",
    "screen",
]
