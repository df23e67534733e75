"""A message as it would look in Slack: safe whatever is in it, and the same bytes each time."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.preview import preview

AT = datetime(2013, 6, 15, 12, 5, tzinfo=UTC)
OURS = {
    "html", "head", "meta", "title", "link", "style", "body", "header", "article", "svg", "rect", "path", "circle",
    "div", "p", "b", "i", "s", "span", "time", "h1", "br", "hr", "a", "code", "small",
}  # fmt: skip


class Tags(HTMLParser):
    """The tags of a page, and the addresses it links to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str | None] = []
        self.names: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}
        if tag == "a":
            self.links.append(dict(attrs).get("href"))


def mrkdwn(text: str) -> str:
    """What a section with this text is drawn as."""
    block = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    page = preview({"text": "fallback", "blocks": [block]}, "#eta", AT)
    found = re.search(r'<p class="section">(.*?)</p>', page, re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("*bold* and _italic_ and ~gone~", "<b>bold</b> and <i>italic</i> and <s>gone</s>"),
        ("`a < b & *c*`", "<code>a &lt; b &amp; *c*</code>"),
        ("2*3*4 snake_case_name a~b~c", "2*3*4 snake_case_name a~b~c"),
        ("* not bold * and **", "* not bold * and **"),
        ("*Since* Mon, *Do*", "<b>Since</b> Mon, <b>Do</b>"),
        ("one\ntwo", "one<br>two"),
        ("&amp; &lt; &gt; &quot; &nbsp;", "&amp; &lt; &gt; &amp;quot; &amp;nbsp;"),
        ("&lt;b&gt; &amp;lt;", "&lt;b&gt; &amp;lt;"),
        ("it's \"here\"", "it&#39;s &#34;here&#34;"),
        (":tada: 🔴 👩‍🔬", ":tada: 🔴 👩‍🔬"),
        ("<https://x.example/a?b=1&amp;c=2|the *page*>",
         '<a href="https://x.example/a?b=1&amp;c=2" rel="noopener noreferrer">the *page*</a>'),
        ("*<https://x.example|page>*", '<b><a href="https://x.example" rel="noopener noreferrer">page</a></b>'),
        ("<https://x.example>", '<a href="https://x.example" rel="noopener noreferrer">https://x.example</a>'),
        ("<javascript:alert(1)|click>", "click"),
        ("<data:text/html,x>", "data:text/html,x"),
        ("<mailto:a@x.example|write>", "write"),
        ("<@U0614TZR7>", '<span class="pill">@U0614TZR7</span>'),
        ("<!subteam^S0614TZR7>", '<span class="pill">@S0614TZR7</span>'),
        ("<!subteam^S0614TZR7|@eta-team>", '<span class="pill">@eta-team</span>'),
        ("<!channel>", '<span class="pill">@channel</span>'),
        ("<#C0614TZR7|eta>", '<span class="pill">eta</span>'),
        ("<script>alert(1)</script>", "scriptalert(1)/script"),
        ("a\u202eb\x00c\u2060d", "a\ufffdb\ufffdc\u2060d"),
        ("\ue0000\ue001 <@U1>", '\ufffd0\ufffd <span class="pill">@U1</span>'),
        ("<https://x.example|`code`>",
         '<a href="https://x.example" rel="noopener noreferrer"><code>code</code></a>'),
    ],
)  # fmt: skip
def test_slacks_markup(text: str, drawn: str) -> None:
    """What ronda writes is drawn; everything else is text."""
    assert mrkdwn(text) == drawn


def test_blocks() -> None:
    """Each kind that ronda uses; of another its name, so that nothing is missing in silence."""
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Late *flights* &amp; more"}},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Where*\nJFK"}, {"type": "plain_text", "text": "b"}]},
        {"type": "divider"},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "_night_"}, {"type": "image", "alt_text": "chart"}]},
        {"type": "actions", "elements": []},
    ]  # fmt: skip
    page = preview({"text": "fallback", "blocks": blocks}, "#eta-oncall", AT)

    body = page.partition("</p>\n")[2].partition("\n</div>")[0]
    assert body.split("\n") == [
        "<h1>Late *flights* &amp; more</h1>",
        '<div class="fields"><p><b>Where</b><br>JFK</p><p>b</p></div>',
        "<hr>",
        '<p class="context"><span><i>night</i></span><span>chart</span></p>',
        '<p class="context">[actions]</p>',
    ]
    assert "fallback" not in page
    assert "<header>#eta-oncall</header>" in page
    assert (
        '<b>ronda</b> <span class="app">APP</span> <time datetime="2013-06-15T12:05:00+00:00">12:05</time>'
        in page
    )


def test_without_blocks() -> None:
    """The text; of a file its title and name."""
    assert '<p class="section"><b>hi</b></p>' in preview({"text": "*hi*"}, "#eta", AT)
    page = preview({"path": "pages/x.html", "name": "x.html", "title": "The <night>"}, "#eta", AT)
    assert '<div class="file"><b>The &lt;night&gt;</b><small>x.html</small></div>' in page


def test_it_loads_and_runs_nothing() -> None:
    """Self-contained, with the same policy as the pages, and readable in light and dark and on a phone."""
    page = preview({"text": "<https://x.example|page>"}, "#eta", AT)

    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'" in page
    assert "url(" not in page
    assert "@import" not in page
    assert re.findall(r'(?:src|href)="(.*?)"', page) == ["data:,", "https://x.example"]
    assert "prefers-color-scheme: dark" in page
    assert "max-width: 680px" in page
    assert page == preview({"text": "<https://x.example|page>"}, "#eta", AT)


_SIGNS = st.text(st.sampled_from("<>|!@#^*_~`&;:/\\\"' \nabhrefsctp=\ue000\ue001\u202e0"), max_size=40)
_ANY = st.recursive(st.none() | st.integers() | _SIGNS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["type", "text", "fields", "elements", "alt_text"]), inner, max_size=4), max_leaves=8)  # fmt: skip


@given(_SIGNS, _SIGNS)
def test_no_text_becomes_html(text: str, channel: str) -> None:
    """Of whatever signs it is made: only our own tags and attributes, and addresses of the web."""
    page = preview({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]}, channel, AT)
    found = Tags(page)

    assert found.tags <= OURS
    assert not {name for name in found.names if name.startswith("on") or name in {"style", "src"}}
    assert all(re.match("https?://", link or "") for link in found.links)


@given(st.dictionaries(st.sampled_from(["text", "blocks", "name", "path", "title"]), _ANY, max_size=4))
def test_no_payload_is_refused(payload: dict[str, Any]) -> None:
    """An odd message can still be looked at."""
    assert Tags(preview(payload, "#eta", AT)).tags <= OURS


@given(st.lists(st.dictionaries(st.just("type"), st.sampled_from(["section", "header", "context"]), min_size=1)
                .flatmap(lambda kind: _ANY.map(lambda text: {**kind, "text": text, "fields": text, "elements": text}))))  # fmt: skip
def test_no_block_is_refused(blocks: list[Any]) -> None:
    """Nor one whose parts are of another type."""
    assert Tags(preview({"blocks": blocks}, "#eta", AT)).tags <= OURS
