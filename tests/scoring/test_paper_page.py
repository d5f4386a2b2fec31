"""A paper as arXiv has it: its record on the page, the card, the report and in the API; old ids; many authors."""

import datetime as dt
import json

import pytest
from django.urls import reverse
from django.utils import translation

from papers.models import Announcement
from profiles.models import Mark
from scoring import report
from tests import factories
from tests.factories import DAY

pytestmark = pytest.mark.django_db
CODE, PAGE = "https://github.com/ada/engine", "https://ada.github.io/engine/"
OLD = "hep-th/9901001"
EVERYBODY = [f"Person{number} Müller" for number in range(1, 3001)]


@pytest.fixture
def alice(client):
    reader = factories.user("alice@example.org")
    client.force_login(reader)
    return reader


def a_paper(arxiv_id: str | None = None, **fields):
    stated = {
        "comment": f"Accepted at NeurIPS. Code: {CODE}",
        "journal_ref": "J. Tests 1 (2026) 2",
        "doi": "10.1000/182",
        "license": "http://creativecommons.org/licenses/by/4.0/",
        "msc_class": "68T07",
        "acm_class": "I.2.7",
        "abstract": f"We count. The page is {PAGE}, and <b>bold</b> words are none.",
    }
    return factories.paper(arxiv_id, **{**stated, **fields})


def in_a_feed(alice, paper):
    edition = factories.edition(factories.profile(alice))
    factories.judged(edition, paper, [90, 10])
    return edition


def page_of(client, paper, query: str = "") -> str:
    response = client.get(reverse("paper", args=[paper.arxiv_id]) + query)
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_has_all_of_arxivs_record(client, alice):
    paper = a_paper()

    page = page_of(client, paper)

    for shown in (
        "Accepted at NeurIPS.",
        "J. Tests 1 (2026) 2",
        'href="https://doi.org/10.1000/182"',
        'href="https://creativecommons.org/licenses/by/4.0/" rel="license noreferrer">CC BY 4.0',
        "<dt>MSC</dt><dd>68T07</dd>",
        "<dt>ACM</dt><dd>I.2.7</dd>",
        f'<a href="{CODE}" rel="noreferrer nofollow">Code',
        f'<a href="{PAGE}" rel="noreferrer nofollow">Project page',
    ):
        assert shown in page
    assert "68T07" not in page.split('id="facts"')[0]  # apart from the categories


def test_a_bare_record_has_no_empty_rows(client, alice):
    assert 'id="facts"' not in page_of(client, factories.paper())


def test_a_withdrawn_paper_without_a_record_has_no_empty_list(client, alice):
    paper = factories.paper(is_withdrawn=True, comment="Withdrawn: wrong.")

    assert 'id="facts"' not in page_of(client, paper)


def test_the_card_links_what_the_authors_name(client, alice):
    in_a_feed(alice, a_paper())

    page = client.get(f"/feed/{DAY}/").content.decode()

    assert (
        f'<a class="found" href="{CODE}" title="github.com/ada/engine" rel="noreferrer nofollow">Code</a>'
        in page
    )
    assert f'href="{PAGE}"' in page


def test_two_of_a_kind_are_numbered_and_nothing_runs(client, alice):
    comment = (
        rf"Code: {CODE}, {CODE}-2 and \href{{javascript:alert(1)}}{{code}} https://github.com/a/b%22onclick=x"
    )
    in_a_feed(alice, a_paper(comment=comment, abstract="We count."))

    page = client.get(f"/feed/{DAY}/").content.decode()

    assert ">Code</a>" in page
    assert ">Code 2</a>" in page
    assert 'href="javascript:' not in page
    assert '"onclick=' not in page


def test_our_own_sample_text_names_no_code(client, alice):
    paper = a_paper(is_sample=True, comment="")

    assert f'href="{PAGE}"' not in page_of(client, paper)


def test_a_replacement_says_its_version_and_its_day(client, alice):
    paper = a_paper(version=3, updated_at=dt.datetime(2026, 2, 4, 12, tzinfo=dt.UTC))
    factories.announce(paper, DAY, version=1)
    for version, day in ((2, dt.date(2026, 2, 2)), (3, dt.date(2026, 2, 5))):
        factories.announce(paper, day, kind=Announcement.Kind.REPLACEMENT, version=version)

    page = " ".join(page_of(client, paper).split())

    assert 'v3, <time datetime="2026-02-04">' in page
    assert 'v2 <time datetime="2026-02-02">' in page
    assert 'v3 <time datetime="2026-02-05">' in page


def test_a_withdrawn_paper_says_why(client, alice):
    paper = a_paper(is_withdrawn=True, comment="Withdrawn: Lemma 2 <is> false.")
    in_a_feed(alice, paper)

    page, card = page_of(client, paper), client.get(f"/feed/{DAY}/").content.decode()

    assert "Its authors withdrew this paper." in page
    assert "Withdrawn: Lemma 2 &lt;is&gt; false.</q>" in page
    assert 'class="badge is-bad" title="Withdrawn: Lemma 2 &lt;is&gt; false."' in card


def test_affiliations_stand_only_where_arxiv_sent_them(client, alice):
    paper = a_paper()
    paper.authors = [{"name": "Ada", "affiliations": ["Here"]}, {"name": "Bob", "affiliations": []}]
    paper.save(update_fields=["authors"])

    page = page_of(client, paper)

    assert "Ada (Here)</a>" in page
    assert "Bob</a>" in page


def test_a_click_on_a_name_finds_that_authors_papers(client, alice):
    paper = a_paper(authors=["Ada Lovelace", 'Bob "Bobby" O\'Neill & Sons'])
    factories.paper(title="Another's", authors=["Ada Lovelace-Byron"])
    page = page_of(client, paper)

    addresses = [part.split('"')[0] for part in page.split('<a href="/search/?q=')[1:]]

    for address in addresses:
        found = client.get("/search/?q=" + address.replace("&amp;", "&")).content.decode()
        assert paper.title in found
        assert "Another" not in found
    assert len(addresses) == 2


def test_the_report_and_the_api_carry_the_record(client, alice):
    edition = in_a_feed(alice, a_paper())

    told = json.loads(report.as_json(edition.profile, DAY, "UTC", "en"))["entries"][0]
    api = client.get(f"/api/v1/editions/{edition.public_id}/entries/").json()["results"][0]

    for row in (told, api):
        assert row["links"] == [{"url": CODE, "kind": "code"}, {"url": PAGE, "kind": "project"}]
        assert row["doi"] == "10.1000/182"
        assert row["journal_ref"] == "J. Tests 1 (2026) 2"
    assert (api["msc_class"], api["acm_class"], api["latest_version"], api["is_withdrawn"]) == (
        "68T07",
        "I.2.7",
        1,
        False,
    )
    assert api["authors"][0]["sort_name"] == "Lovelace, Ada"


# --- old ids ----------------------------------------------------------------------------------------


def test_an_old_id_goes_through_every_address(client, alice):
    paper = a_paper(OLD, categories=["hep-th"])
    edition = factories.edition(factories.profile(alice, categories=["hep-th"]))
    factories.judged(edition, paper, [90, 10])

    assert "arXiv:hep-th/9901001" in page_of(client, paper)
    assert 'href="https://arxiv.org/abs/hep-th/9901001"' in page_of(client, paper)
    assert 'id="p-hep-th-9901001"' in client.get(f"/feed/{DAY}/").content.decode()
    for form in ("bib", "ris"):
        answer = client.get(f"/papers/{OLD}/cite.{form}")
        assert answer["Content-Disposition"] == f'attachment; filename="hep-th-9901001.{form}"'
        assert OLD in answer.content.decode()
    for form in ("md", "json", "csv", "bib", "ris"):
        assert OLD in client.get(f"/feed/{DAY}/report.{form}").content.decode()
    assert client.get(f"/papers/{OLD}/", {"part": "names"}).status_code == 200
    for found in (OLD, "hep-th/9901001v2", f"https://arxiv.org/abs/{OLD}"):
        assert f'href="/papers/{OLD}/"' in client.get("/search/", {"q": found}).content.decode()
    entries = client.get(f"/api/v1/editions/{edition.public_id}/entries/").json()["results"]
    assert entries[0]["link"] == f"https://arxiv.org/abs/{OLD}"
    for do in ("save", "up"):
        client.post(f"/papers/{OLD}/marks/", {"do": do, "edition": edition.public_id})
    assert set(Mark.objects.of(alice).values_list("kind", "paper__arxiv_id")) == {("saved", OLD)}
    assert f'href="/papers/{OLD}/' in client.get("/saved/").content.decode()


# --- three thousand authors ----------------------------------------------------------------------------


@pytest.fixture
def crowd(alice):
    return a_paper("2601.00042", authors=EVERYBODY)


def test_the_card_and_the_page_of_three_thousand_authors_stay_light(client, alice, crowd):
    in_a_feed(alice, crowd)

    page, card = page_of(client, crowd), client.get(f"/feed/{DAY}/").content.decode()

    for text in (page, card):
        assert len(text) < 60_000
        assert "+2,996</summary>" in text
        assert "Person3 Müller</a>" in text
        assert "Person3000 Müller</a>" in text
        assert "Person1500 Müller" not in text


def test_the_rest_opens_with_and_without_a_script(client, alice, crowd):
    rest, whole = page_of(client, crowd, "?part=names"), page_of(client, crowd, "?show=authors")

    assert rest.count("<a ") == 2996
    assert "Person2999 Müller</a>" in rest
    assert "<html" not in rest
    assert "Person1500 Müller</a>" in whole
    assert "<summary" not in whole.split("</h1>")[1].split("</header>")[0]


def test_citations_and_search_know_everybody(client, alice, crowd):
    bib = client.get(f"/papers/{crowd.arxiv_id}/cite.bib").content.decode()
    ris = client.get(f"/papers/{crowd.arxiv_id}/cite.ris").content.decode()
    found = client.get("/search/", {"q": 'author:"Person2999 Mueller"'}).content.decode()

    assert bib.count(" and Person") == 2999
    assert ris.count("AU  - Müller, Person") == 3000
    assert "2601.00042" in found


def test_a_page_in_chinese_says_the_same(client, alice):
    alice.language = "zh-hans"
    alice.save(update_fields=["language"])

    page = page_of(client, a_paper(is_withdrawn=True))

    with translation.override("zh-hans"):
        for words in ("代码", "项目主页", "期刊信息", "许可证", "作者的话："):
            assert words in page
