"""How a message would look in Slack: one HTML file that loads nothing and runs nothing.

Everything is escaped; of Slack's markup the parts that ronda writes are drawn: bold, italics, code, strikes, links
and mentions. What is not drawn is named, so that nothing is missing in silence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import unescape
from typing import Any

from markupsafe import Markup, escape

_JOINERS = "\u200d\u2060"  # they hold an emoji together, or keep a sign from being read as markup: both are invisible
_STASHED = re.compile("\ue000([0-9]+)\ue001")  # stands for a part that is drawn already
_CODE = re.compile(r"`([^`\n]+)`")
_ANGLE = re.compile(r"<([^<>\n]+)>")
_ADDRESS = re.compile(r"https?://[^\s<>\"'\\]+")
_SPANS = tuple(
    (re.compile(rf"(?<![\w{sign}])\{sign}(?=\S)([^\n{sign}]+?)(?<=\S)\{sign}(?![\w{sign}])"), tag)
    for sign, tag in (("*", "b"), ("_", "i"), ("~", "s"))
)

_PAGE = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<header>{channel}</header>
<article>
{avatar}
<div class="message">
<p class="who"><b>ronda</b> <span class="app">APP</span> <time datetime="{instant}">{clock}</time></p>
{blocks}
</div>
</article>
</body>
</html>
""")

_STYLE = Markup("""
:root {
  color-scheme: light dark;
  --paper: #fff; --ink: #1d1c1d; --soft: #616061; --line: #dddddd; --link: #1264a3; --badge: #e8e8e8;
  --pill: #e3f1fa; --code: #c01343; --code-paper: #f8f8f8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #1a1d21; --ink: #d1d2d3; --soft: #ababad; --line: #35373b; --link: #5fb8ee; --badge: #35373b;
    --pill: #173a4f; --code: #f0889f; --code-paper: #232529;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 680px; background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
  font: 15px/1.467 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
}
header { padding: 12px 20px; border-bottom: 1px solid var(--line); font-size: 18px; font-weight: 800; }
article { display: grid; grid-template-columns: 36px minmax(0, 1fr); gap: 8px; padding: 16px 20px 24px; }
svg { display: block; width: 36px; height: 36px; margin-top: 3px; }
p { margin: 0; }
.who { line-height: 1.3; }
.app { padding: 1px 4px; border-radius: 2px; background: var(--badge); color: var(--soft); font-size: 10px; font-weight: 700; vertical-align: 1px; }
time { color: var(--soft); font-size: 12px; }
h1 { margin: 8px 0 4px; font-size: 18px; line-height: 1.33; font-weight: 800; }
.section { margin: 4px 0 8px; }
.fields { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px 16px; margin: 4px 0 8px; }
.context { margin: 4px 0 8px; color: var(--soft); font-size: 13px; }
.context span + span { margin-left: 8px; }
h1, .section, .fields p, .context { white-space: pre-wrap; }
hr { margin: 8px 0; border: 0; border-top: 1px solid var(--line); }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
.pill { padding: 0 2px 1px; border-radius: 3px; background: var(--pill); color: var(--link); }
code { padding: 1px 3px; border: 1px solid var(--line); border-radius: 3px; background: var(--code-paper); color: var(--code); font: 12px/1.5 ui-monospace, "Liberation Mono", Menlo, Consolas, monospace; }
.file { display: inline-block; margin: 6px 0; padding: 10px 14px; border: 1px solid var(--line); border-radius: 8px; }
.file small { display: block; color: var(--soft); }
@media (max-width: 480px) {
  header { padding: 10px 16px; }
  article { padding: 12px 16px 20px; }
  .fields { grid-template-columns: minmax(0, 1fr); }
}
""")

_AVATAR = Markup("""<svg viewBox="0 0 36 36" role="img" aria-label="ronda">
<rect width="36" height="36" rx="8" fill="#16324a"/>
<path d="M23.5 22.4A9 9 0 0 1 13.6 10.5a9 9 0 1 0 9.9 11.9z" fill="#f2d48a"/>
<circle cx="25" cy="11" r="1.4" fill="#f2d48a"/><circle cx="20.5" cy="15" r="1" fill="#f2d48a"/>
</svg>""")


def preview(payload: Mapping[str, Any], channel: str, at: datetime) -> str:
    """A page that shows a payload as Slack would. The same input gives the same text; nothing in it is refused.

    Args:
        payload: `text` and `blocks`, or of a file `name` and `title`.
        at: when it is due, in the time zone it is to be shown in.
    """
    blocks = payload.get("blocks")
    drawn = [_block(block) for block in blocks] if isinstance(blocks, list) and blocks else [_alone(payload)]
    return str(
        _PAGE.format(
            title=f"ronda in {_visible(channel)}",
            style=_STYLE,
            channel=_visible(channel),
            avatar=_AVATAR,
            instant=at.isoformat(),
            clock=f"{at:%H:%M}",
            blocks=Markup("\n").join(drawn),
        )
    )


def _alone(payload: Mapping[str, Any]) -> Markup:
    """A payload without blocks: a file, or text."""
    if "path" in payload or "name" in payload:
        title, name = (_visible(str(payload.get(key) or "")) for key in ("title", "name"))
        return Markup('<div class="file"><b>{}</b><small>{}</small></div>').format(title or name, name)
    return Markup('<p class="section">{}</p>').format(_marked(str(payload.get("text", ""))))


def _block(block: object) -> Markup:
    given = block if isinstance(block, Mapping) else {}
    kind = str(given.get("type", ""))
    if kind == "header":
        return Markup("<h1>{}</h1>").format(_text(given.get("text")))
    if kind == "section":
        text = Markup('<p class="section">{}</p>').format(_text(given["text"])) if given.get("text") else ""
        return Markup("{}{}").format(text, _fields(given.get("fields")))
    if kind == "context":
        parts = Markup("").join(
            Markup("<span>{}</span>").format(_text(each)) for each in _list(given.get("elements"))
        )
        return Markup('<p class="context">{}</p>').format(parts)
    if kind == "divider":
        return Markup("<hr>")
    return Markup('<p class="context">[{}]</p>').format(_visible(kind) or "block")


def _fields(fields: object) -> Markup:
    drawn = [Markup("<p>{}</p>").format(_text(field)) for field in _list(fields)]
    return Markup('<div class="fields">{}</div>').format(Markup("").join(drawn)) if drawn else Markup("")


def _list(given: object) -> Sequence[object]:
    return given if isinstance(given, list) else ()


def _text(given: object) -> Markup:
    """A text object of Block Kit; of an image its description."""
    if not isinstance(given, Mapping):
        return escape(_visible(str(given or "")))
    words = str(given.get("text") or given.get("alt_text") or "")
    return (
        _marked(words)
        if given.get("type") == "mrkdwn"
        else _lines(escape(_visible(unescape_entities(words))))
    )


def _marked(text: str) -> Markup:
    """Slack's markup as HTML. Parts that are drawn are set aside, so that nothing in them is read twice."""
    drawn: list[Markup] = []

    def stash(part: Markup) -> str:
        drawn.append(part)
        return f"\ue000{len(drawn) - 1}\ue001"

    text = _visible(text)
    text = _CODE.sub(lambda m: stash(Markup("<code>{}</code>").format(unescape_entities(m[1]))), text)
    text = _ANGLE.sub(lambda m: stash(_angle(m[1])), text)
    safe = str(escape(unescape_entities(text)))
    for pattern, tag in _SPANS:
        safe = pattern.sub(rf"<{tag}>\1</{tag}>", safe)
    while _STASHED.search(safe):  # a link's label may hold code
        safe = _STASHED.sub(lambda m: str(drawn[int(m[1])]), safe)
    return _lines(Markup(safe))  # noqa: S704 - escaped above; only our own tags were added since


def _angle(inner: str) -> Markup:
    """What stands in angle brackets: a link, or a mention of a person, a group, a channel or everybody."""
    target, _, label = inner.partition("|")
    shown = unescape_entities(label)
    if target.startswith(("@", "#")):
        return Markup('<span class="pill">{}</span>').format(shown or target)
    if target.startswith("!subteam^"):
        return Markup('<span class="pill">{}</span>').format(shown or "@" + target.removeprefix("!subteam^"))
    if target.startswith("!date^"):
        return escape(shown or target)
    if target.startswith("!"):
        return Markup('<span class="pill">@{}</span>').format(target.removeprefix("!"))
    address = unescape_entities(target)
    if not _ADDRESS.fullmatch(address):
        return escape(shown or address)
    return Markup('<a href="{}" rel="noopener noreferrer">{}</a>').format(address, shown or address)


def unescape_entities(text: str) -> str:
    """The three entities Slack knows, and no other.

    >>> unescape_entities("a &lt; b &amp;&amp; c &nbsp;")
    'a < b && c &nbsp;'
    """
    return re.sub("&(?:amp|lt|gt);", lambda m: unescape(m[0]), text)


def _visible(text: str) -> str:
    """Text in which nothing hides or turns the reading direction; the signs we use ourselves are taken too."""
    return "".join("\ufffd" if _hidden(sign) else sign for sign in text)


def _hidden(sign: str) -> bool:
    return unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co"} and sign not in _JOINERS + "\n"


def _lines(safe: Markup) -> Markup:
    return Markup("<br>").join(safe.split("\n"))
