"""The judge without a network."""

from scoring import local_judge
from scoring.rubric import PaperText
from scoring.screening.brief import Brief, Wish

BRIEF = Brief((Wish("图神经网络"), Wish("Robot learning", weight=0.5)))
PAPER = PaperText("Graph neural networks", "Message passing for node classification with a robot.")


def test_the_score_grows_with_the_estimate():
    scores = [local_judge.score_of(estimate) for estimate in range(10_001)]

    assert scores == sorted(scores)
    assert scores[0] == 0
    assert scores[2_000] == 60
    assert scores[-1] < 100


def test_the_reason_names_the_shared_words_in_the_profiles_language():
    verdict = local_judge.judge("a1", PAPER, [4_000, 300], BRIEF, "zh-Hans")

    assert verdict.scores == (75, 18)
    assert verdict.reason.startswith("本地估计，未用语言模型：与“图神经网络”共有的词：graph neural network、")
    assert verdict.quote == ""


def test_in_english_it_says_that_it_is_no_language_model():
    verdict = local_judge.judge("a1", PAPER, [100, 9_000], BRIEF, "en")

    assert verdict.reason.startswith(
        "Local estimate, no language model: words shared with “Robot learning”: Robot"
    )


def test_a_paper_that_shares_no_word_says_so():
    verdict = local_judge.judge("a1", PaperText("Cheese", ""), [30, 30], BRIEF, "en")

    assert "no words shared" in verdict.reason
    assert verdict.scores == (2, 2)


def test_a_language_that_we_lack_gets_english():
    assert local_judge.judge("a1", PAPER, [1, 1], BRIEF, "fr").reason.startswith("Local estimate")
