"""A person at a browser without script: cookies, forms, and redirects as far as the app's own address."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class Forms(HTMLParser):
    """The forms of a page, each with its action and the values that it has already."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.found.append((attributes.get("action", ""), {}))
        elif tag == "input" and self.found and "name" in attributes and attributes.get("type") != "checkbox":
            self.found[-1][1][attributes["name"]] = attributes.get("value", "")


class Person:
    """Somebody with a password, who allows what is asked for."""

    def __init__(self, email, password, app):
        self.browser = requests.Session()
        self.email, self.password, self.app = email, password, app

    def open(self, address):
        """Goes there and does what the pages want; says where the app gets its answer."""
        answer = self.browser.get(address, allow_redirects=False)
        for _ in range(12):
            if answer.is_redirect:
                address = urljoin(address, answer.headers["location"])
                if address.startswith(self.app):
                    return address
                answer = self.browser.get(address, allow_redirects=False)
                continue
            answer.raise_for_status()
            action, fields = Forms(answer.text).found[0]
            if "identifier" in fields:
                fields |= {"identifier": self.email, "password": self.password}
            elif action.split("?")[0].endswith("/consent"):
                fields["action"] = "allow"
            else:
                break
            address = urljoin(address, action)
            answer = self.browser.post(address, fields, allow_redirects=False)
        raise AssertionError(f"no way on from {address}: {answer.status_code} {answer.text[:600]}")
