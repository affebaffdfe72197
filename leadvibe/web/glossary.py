"""What the words mean: beside each on the page that says it, and all together on the help page."""

from __future__ import annotations

from flask import Blueprint, Flask
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require_member
from leadvibe.web.pages.help import Explained, HelpPage
from leadvibe.web.rendering import render
from leadvibe.web.terms import TERMS

HELP = "/app/help"
_POPOVER = Markup(
    '<button class="term" type="button" popovertarget="term-{key}">{said}</button>'
    '<span class="term-tip" id="term-{key}" popover role="note"><b>{name}</b> {text}'
    ' <a href="{help}#{key}">All terms</a></span>'
)

pages = Blueprint("help", __name__)


def register(app: Flask) -> None:
    """Give templates `term(key)`."""
    app.template_global("term")(explain_term)


def explain_term(key: str, said: str = "") -> Markup:
    """Write a word with its explanation, which opens on a click or by keyboard, without scripts.

    `said` is how the sentence spells it. Once a page: its id is the term's.
    """
    name, text, _ = TERMS[key]
    return _POPOVER.format(key=key, said=said or name.lower(), name=name, text=text, help=HELP)


@pages.get("/help")
def show_help() -> AnyResponse:
    require_member()
    terms = sorted(TERMS.items(), key=lambda item: item[1].name)
    page = HelpPage(
        terms=tuple(Explained(id=key, name=it.name, text=it.text, url=it.url) for key, it in terms)
    )
    return render("help/page.html", page=page, section=HELP)
