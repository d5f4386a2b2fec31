"""From a waiting paper to a booked answer: claim, hold, ask, check, record.

Rows are the queue. `claim` wins a block and holds its tokens in one transaction; `judge_block` asks without any
transaction and books the answer in one; `reap` takes back what a dead worker held. `drain` does all that can be
done now, with up to sixteen calls in flight as threads of one process.
"""

from .blocks import Block
from .calling import book, judge_block
from .claims import CLAIM_SECONDS, claim, editions_in_turn
from .draining import CONCURRENCY, Drained, drain, run_once, seconds_until_due
from .reaping import reap
from .records import forget_failed_answers

__all__ = [
    "CLAIM_SECONDS",
    "CONCURRENCY",
    "Block",
    "Drained",
    "book",
    "claim",
    "drain",
    "editions_in_turn",
    "forget_failed_answers",
    "judge_block",
    "reap",
    "run_once",
    "seconds_until_due",
]
