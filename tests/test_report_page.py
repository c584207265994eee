"""The page: hostile data stays data, nothing is asked of a network, and it fits a phone."""

from __future__ import annotations

import re
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser

import attrs
import pytest
from chromium import CHROMIUM, Chromium
from hypothesis import given, settings
from strategies import customers

import unified_customers as uc
from unified_customers.models import ReadOnlyDict
from unified_customers.reporting import page
from unified_customers.reporting.values import Count

NOW = datetime(2026, 3, 10, tzinfo=UTC)
EVIL = "</style></title><script>alert(1)</script><img src=//evil.test/x onerror=a()>'\"&{{7*7}}{%"
VOID = {"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Shape(HTMLParser):
    """Which elements there are, with their attributes, and that each is closed."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text = [], [], []
        self.feed(text)
        self.close()

    def names(self):
        """The elements and their attributes' names, in whatever order the text puts them."""
        return Counter((tag, *sorted(found)) for tag, found in self.elements)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def everywhere(text, number=0, account="a"):
    """A customer with that text wherever there is room for text."""
    address = uc.Address(**{field.name: text for field in attrs.fields(uc.Address)})
    fields = dict.fromkeys(
        ("id", "external_id", "name", "first_name", "last_name", "company", "email", "kind", "status", "parent_id"),
        text,
    )
    return uc.Customer(
        **{**fields, "id": f"{text}{number}"},
        provider=text,
        account_id=account + text,
        phone="+4930901820",
        billing_address=address,
        created_at=NOW - timedelta(days=40 * number + 1),
        metrics=uc.Metrics(monthly_revenue=Decimal("-3.5") if number else Decimal("123456789012345678901234567890.12")),
        metadata=ReadOnlyDict({text: text}),
    )


def hostile(text=EVIL):
    """A report with that text wherever there is room for text."""
    found = [everywhere(text, n, "ab"[n % 2]) for n in range(4)]
    found += [attrs.evolve(everywhere(f"x{text}", n), email=f"{text}@x.org") for n in range(7)]
    strange = uc.Address(country=text)
    found += [attrs.evolve(found[0], id="s", billing_address=strange, shipping_address=None)]
    return uc.report(found, currency={f"{text}/a{text}": text}, now=NOW)


def test_hostile_text_stays_text_in_every_field():
    """No element, no attribute and no address comes of it; the page has all of its own."""
    plain, evil = Shape(hostile("plain").to_html("plain")), Shape(hostile().to_html(EVIL))
    assert evil.open == plain.open == []
    assert evil.names() == plain.names()
    assert "script" not in {tag for tag, _ in evil.elements}
    assert not any(name.startswith("on") for _, found in evil.elements for name in found)
    assert any("<script>alert(1)</script>" in text for text in evil.text)
    assert "49" not in {text.strip() for text in evil.text}


def test_nothing_on_the_page_points_anywhere():
    """No link, no image, no font, no script; namespaces are names only."""
    text = hostile().to_html()
    for tag, found in Shape(text).elements:
        assert tag not in {"script", "img", "iframe", "object", "embed", "a", "use", "image"}
        for name in ("src", "href", "srcset", "action", "xlink:href"):
            assert found.get(name, "data:,") == "data:,"
    css = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    assert "url(" not in css
    assert "@import" not in css


def test_what_turns_lines_or_steers_terminals_is_taken_out():
    """Shown as a sign; right-to-left names stay as they are, each isolated."""
    text = uc.report([earning("\x1b[31m\u202eevil\x00\ud800"), earning("שלום عليكم", 1)]).to_html()
    assert not set(text) & {"\x1b", "\u202e", "\x00", "\ud800"}
    assert "<bdi>שלום عليكم</bdi>" in text
    text.encode()


def earning(name, number=0):
    """A customer with a name and revenue."""
    return uc.Customer(
        provider="flexportal", id=f"c{number}", name=name, metrics=uc.Metrics(monthly_revenue=Decimal(100 - number))
    )


def test_endless_names_are_cut_on_the_page():
    """A name of ten thousand characters doesn't make the page larger."""
    assert len(hostile("W" * 10_000).to_html()) < len(hostile("W" * 300).to_html()) * 2


@settings(max_examples=20)
@given(customers(), customers())
def test_any_customers_make_a_page(one, other):
    """Of elements that are closed."""
    assert Shape(uc.report([one, other, one]).to_html()).open == []


def test_each_picture_has_a_text_and_a_table():
    """For whoever can't see it, in each of its two sizes."""
    text = hostile("plain").to_html()
    shape = Shape(text)
    pictures = [found for tag, found in shape.elements if tag == "svg"]
    assert [found["class"] for found in pictures] == ["wide", "narrow"] * 2
    assert all(found["role"] == "img" and len(found["aria-label"]) > 40 for found in pictures)
    assert text.count("<title>") == 1 + len(pictures)
    assert text.count("<desc>") == len(pictures)
    assert len(re.findall(r"<figure>.*?</figure>\s*<details>.*?<table>", text, re.DOTALL)) == 2
    assert not re.search(r'(fill|stroke)="#', re.sub(r'stroke="#(888|ddd)"', "", text))


def test_months_and_money_are_written_for_people():
    """Small helpers of the page."""
    assert page.month_name("0001-02") == "February 1"
    assert [page.share(*pair) for pair in ((0, 0), (0, 5), (1, 500), (499, 500), (1, 3), (5, 5))] == [
        "–",
        "0 %",
        "<1 %",
        ">99 %",
        "33 %",
        "100 %",
    ]
    amounts = {"1234.5": "1,234.50", "0.0005": "0.00", "1E+30": f"{10**30:,}.00", "-2.345": "-2.345", "12": "12.00"}
    assert {text: page.money(Decimal(text)) for text in amounts} == amounts
    assert page.country("QA") == "Qatar"
    assert page.country(None) == ""


def test_a_page_without_its_packages_is_refused_by_name(monkeypatch):
    """Whichever is missing."""
    summary = uc.report([])
    page._template.cache_clear()
    for module, package in (("jinja2", "jinja2"), ("vl_convert", "vl-convert-python")):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            with pytest.raises(uc.ConfigurationError, match=rf"{package}.*unified-customers\[report\]"):
                page.ready()
    assert summary.to_html()


def test_many_accounts_make_no_endless_page():
    """The first by name; the page says how many more there are."""
    found = [attrs.evolve(earning("x"), id=str(n), account_id=f"{n:04}") for n in range(300)]
    summary = uc.report(found, matching=False)
    assert len(summary.accounts) == 300
    text = summary.to_html()
    assert "And 288 more accounts" in text
    assert len(text) < 200_000
    assert summary.by_provider.counts == (Count(value="flexportal", customers=300),)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """One for all tests of this file."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium")
    with Chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Pages as files: an ordinary one, an incomplete one, and hostile ones."""
    folder = tmp_path_factory.mktemp("pages")
    with uc.sandbox(customers=60) as box:
        accounts = {
            "doha": uc.FlexPortal(**box.flexportal.settings),
            "berlin": uc.Flexprice(**box.flexprice.settings),
            "london": uc.Flatpeak(account_id="a", api_key="no", base_url=box.flatpeak.base_url),
        }
        with uc.Directory(accounts) as directory:
            uc.report(directory, now=NOW).write_html(folder / "incomplete.html", "Every Monday")
        with uc.Client(accounts["doha"]) as client:
            uc.report(client, now=NOW).write_html(folder / "ordinary.html")
    hostile().write_html(folder / "evil.html", EVIL)
    hostile("W" * 10_000).write_html(folder / "long.html", "W" * 300)
    uc.report([]).write_html(folder / "empty.html")
    return folder


@pytest.mark.parametrize("name", ["ordinary", "incomplete", "evil", "long", "empty"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_in_chromium(browser, pages, name, width, scheme):
    """It asks for nothing but itself, complains of nothing, and isn't wider than the window."""
    url = (pages / f"{name}.html").as_uri()
    browser.open(url, width=width, scheme=scheme)
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value("document.querySelectorAll('h1').length") == 1
    assert browser.requests() in ([url], [url, "data:,"])
    assert browser.complaints() == []
    paper = browser.value("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(20, 22, 26)") is (scheme == "dark")
    shown = browser.value(
        "[...document.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().width).map(s => s.classList[0])"
    )
    assert set(shown) <= {"narrow" if width == 390 else "wide"}
    if name != "empty":
        assert len(shown) == 2
        fill = "getComputedStyle([...document.querySelectorAll('svg.{} path')].find(p => p.getAttribute('fill') =="
        bar = browser.value(fill.format(shown[0]) + " 'var(--s0)')).fill")
        assert bar == ("rgb(127, 176, 224)" if scheme == "dark" else "rgb(47, 95, 143)")
