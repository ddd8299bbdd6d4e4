"""A scripted browser: follows redirects, keeps cookies, fills in the forms that it meets.

`plane login` starts it as $BROWSER: python -m world.browser --as alice --ca ca.pem URL. It knows
no page of plane or of a provider, only forms: it types the name where a text is asked for.
"""

import argparse
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import httpx

_PAGES = 12


@dataclass(slots=True, kw_only=True)
class Form:
    """One form: where it goes and what it holds; `asked` are the fields that a person fills."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)

    def filled(self, answers: Mapping[str, str]) -> dict[str, str] | None:
        """Return the fields to send, None when the form asks for what `answers` does not have."""
        known = {name: answers.get(name, answers.get(kind)) for name, kind in self.asked.items()}
        if any(value is None for value in known.values()):
            return None
        return {**self.values, **{name: value for name, value in known.items() if value}}


class _Forms(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.forms: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = urljoin(self.page, have.get("action", ""))
            self._open = Form(action=action, method=have.get("method", "get").lower())
            self.forms.append(self._open)
        elif self._open and tag == "input" and have.get("name"):
            self._input(self._open, have)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None

    @staticmethod
    def _input(form: Form, have: dict[str, str]) -> None:
        kind = have.get("type", "text")
        if kind in ("hidden", "submit", "checkbox"):
            form.values[have["name"]] = have.get("value", "")
        else:
            form.asked[have["name"]] = kind


class Browser:
    """One person's browser: cookies, and what that person types."""

    def __init__(self, *, answers: Mapping[str, str], ca_file: Path | None = None) -> None:
        verify = ssl.create_default_context(cafile=str(ca_file)) if ca_file else True
        self._http = httpx.Client(verify=verify, follow_redirects=True, timeout=20)
        self._answers = answers

    def visit(self, url: str) -> httpx.Response:
        """Open a page, fill in what it and the pages after it ask for, return the last one."""
        page = self._http.get(url)
        for _ in range(_PAGES):
            form = self._next_form(page)
            if form is None:
                return page
            action, method, values = form
            page = self._http.request(
                method,
                action,
                data=values if method == "post" else None,
                params=values if method == "get" else None,
                # What browsers send with a form; plane's pages check it against forged requests.
                headers={"Origin": f"{page.url.scheme}://{page.url.netloc.decode()}"},
            )
        raise RuntimeError(f"still asked for more after {_PAGES} pages: {page.url}\n{page.text}")

    def close(self) -> None:
        """Forget everything."""
        self._http.close()

    def _next_form(self, page: httpx.Response) -> tuple[str, str, dict[str, str]] | None:
        if page.is_error or "html" not in page.headers.get("content-type", ""):
            return None
        reader = _Forms(str(page.url))
        reader.feed(page.text)
        # A form that asks for something comes before a bare button (which may say Deny).
        for form in sorted(reader.forms, key=lambda each: not each.asked):
            values = form.filled(self._answers)
            if values is not None and (form.asked or form.method == "post"):
                return form.action, form.method, values
        return None


def main() -> int:
    """Be the $BROWSER of a person; says on standard error where it ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--as", dest="name", required=True, help="what is typed into text fields")
    parser.add_argument("--password", default="", help="what is typed into password fields")
    parser.add_argument("--ca", type=Path, help="the CA to trust")
    parser.add_argument("--log", type=Path, help="where to write what happened")
    parser.add_argument("url")
    options = parser.parse_args()
    answers = {"text": options.name, "email": options.name, "password": options.password or "x"}
    last = Browser(answers=answers, ca_file=options.ca).visit(options.url)
    if options.log:
        options.log.write_text(f"{last.status_code} {last.url.copy_with(query=None)}\n{last.text}")
    return 1 if last.is_error else 0


if __name__ == "__main__":
    sys.exit(main())
