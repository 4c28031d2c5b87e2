"""The page that a browser ends on: plain, of one piece, without a script, and without anything that came with the request."""

from __future__ import annotations

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} - smtpctl</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 20vh auto 0; padding: 0 1.5rem; }}
h1 {{ font-size: 1.5rem; margin: 0 0 .5rem; }}
.mark {{ font-size: 2.5rem; line-height: 1; }}
.good {{ color: #1a7f37; }} .bad {{ color: #b3261e; }}
@media (prefers-color-scheme: dark) {{ .good {{ color: #57d375; }} .bad {{ color: #ff8a80; }} }}
</style>
</head>
<body>
<main>
<p class="mark {kind}" aria-hidden="true">{mark}</p>
<h1>{title}</h1>
<p>{text}</p>
</main>
</body>
</html>
"""


def page(title: str, text: str, *, good: bool = False) -> str:
    """A page with these words, which are ours and need no escape."""
    return _PAGE.format(title=title, text=text, kind="good" if good else "bad", mark="✓" if good else "✗")
