"""Text in a paper that addresses the model that judges it. Pure.

At least eighteen preprints carried hidden orders to reviewing models. A suspected paper is judged alone, so that
whatever it says can move no other paper's score, and is marked. A mark is never a penalty: papers about
injection quote such strings.
"""

import re
import unicodedata

# Hidden carriers: zero-width, bidirectional and tag characters inside a text.
HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
# A soft hyphen or a joiner here and there is a typesetter's, a run of them is not.
MOST_HIDDEN = 3

ORDERS = re.compile(
    r"""
    \b(?:ignore|disregard|forget|override)\b\s+(?:\w+\s+){0,4}(?:instructions?|prompts?|above|rules|guidelines)\b
    | \b(?:give|assign|award|rate|score|rank|mark|grade|recommend|judge)\b.{0,50}
      \b(?:100|10/10|full|maximum|max|highest|top|perfect|best|positive|accept)\b.{0,30}
      \b(?:score|mark|rating|review|grade|paper|this|points?)\b
    | \b(?:score|rate|rank|give|mark)\s+(?:this|the|our)\s+(?:paper|work|article|submission|one)
    | \b(?:all|every|any)\s+other\s+(?:papers?|submissions?)\b.{0,40}\b(?:0|zero|low|lowest|reject|ignore)
    | \byou\s+are\s+(?:an?\s+|the\s+)?(?:ai|llm|large\s+language\s+model|language\s+model|assistant|reviewer)\b
    | \b(?:dear|attention|note\s+to|instructions?\s+(?:for|to))\s+(?:the\s+)?(?:ai|llm|language\s+model|gpt|chatgpt|claude|reviewer)
    | \bfor\s+(?:llm|ai|language\s+model)\s+reviewers?\b
    | <\|?\s*(?:system|im_start|assistant) | \[/?INST\] | \[\[[^\[\]]{1,20}\]\]
    | "rows"\s*: | "reasons"\s*:
    | (?:忽略|无视|忘记|不要理会).{0,12}(?:指令|指示|要求|提示|规则|以上|之前|前面)
    | (?:给|打|评).{0,10}(?:满分|最高分|高分|100\s*分|10\s*分)
    | (?:其他|其它|别的)论文.{0,12}(?:0\s*分|零分|最低)
    | (?:作为|你是).{0,4}(?:语言模型|人工智能|AI|审稿)
    """,
    re.IGNORECASE | re.VERBOSE,
)


_SENTENCE = re.compile(r".+?(?:[.!?](?=\s)|[。！？]|$)\s*", re.DOTALL)


def without_orders(text: str) -> str:
    """The text without the sentences that address a model, and without hidden characters; the rest as it was."""
    plain = HIDDEN.sub("", text)
    sentences = (found[0] for found in _SENTENCE.finditer(plain))
    kept = [each for each in sentences if not ORDERS.search(unicodedata.normalize("NFKC", each))]
    return "".join(kept).strip()


def addresses_the_model(title: str, abstract: str) -> bool:
    """Whether a paper's text seems to speak to its judge, or hides characters as such text would."""
    raw = f"{title}\n{abstract}"
    if len(HIDDEN.findall(raw)) > MOST_HIDDEN:
        return True
    plain = unicodedata.normalize("NFKC", HIDDEN.sub("", raw))
    return ORDERS.search(re.sub(r"\s+", " ", plain)) is not None
