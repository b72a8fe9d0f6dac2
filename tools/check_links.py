"""Check the links of the built book: `python tools/check_links.py [--external]`.

Without the option no other host is asked: every address inside the book must exist, with its anchor, and no page may
load a script, style, font or picture from elsewhere. With it, every link to another host is asked whether it is there.
"""

import argparse
import concurrent.futures
import re
import sys
import urllib.error
import urllib.request
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "_build" / "html"
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}
LOADING_RELS = {"stylesheet", "preload", "modulepreload", "icon", "preconnect", "dns-prefetch", "manifest"}
# These answer a program with "forbidden" or "too many requests" although a reader gets the page.
POLITE_REFUSALS = {401, 403, 405, 406, 429, 999}


class Page(HTMLParser):
    """The addresses that a page links to and loads, and the anchors that it offers."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loads, self.anchors = [], [], {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Sort one tag's addresses."""
        attrs = dict(attrs)
        self.anchors.update(attrs[key] for key in ("id", "name") if attrs.get(key))
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])
        elif tag == "link" and attrs.get("href") and LOADING_RELS & set((attrs.get("rel") or "").split()):
            self.loads.append(attrs["href"])
        elif tag in LOADS and attrs.get(LOADS[tag]):
            self.loads.append(attrs[LOADS[tag]])


def is_foreign(address):
    """Tell whether an address names another host."""
    return bool(urlsplit(address).netloc)


def read_pages(book):
    """Return {path: Page} of every page of the book."""
    others = ("_static", "lite")
    paths = (path for path in sorted(book.rglob("*.html")) if path.relative_to(book).parts[0] not in others)
    return {path: Page(path.read_text(encoding="utf-8")) for path in paths}


def internal_problems(book):
    """Return a line for each address inside the book that does not exist, and each thing loaded from elsewhere."""
    pages = read_pages(book)
    problems = []
    for path, page in pages.items():
        name = path.relative_to(book)
        problems += [f"{name}: loads {address} from another host" for address in page.loads if is_foreign(address)]
        for address in page.links + page.loads:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                problems.append(f"{name}: {address} does not exist")
            elif parts.query.startswith("path=") and not (target.parents[1] / "files" / parts.query[5:]).is_file():
                problems.append(f"{name}: {address} opens a notebook that is not in JupyterLite")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                problems.append(f"{name}: {address} names an anchor that is not on that page")
    for path in sorted(book.rglob("*.css")):
        for address in re.findall(
            r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", path.read_text(encoding="utf-8")
        ):
            address = "".join(address)
            if is_foreign(address):
                problems.append(f"{path.relative_to(book)}: loads {address} from another host")
    return sorted(set(problems))


def ask(address):
    """Return what is wrong with a page on another host, or None."""
    request = urllib.request.Request(address, headers={"User-Agent": "Mozilla/5.0 (link check of a course book)"})
    try:
        with urllib.request.urlopen(request, timeout=30):
            return None
    except urllib.error.HTTPError as error:
        return None if error.code in POLITE_REFUSALS else f"{address}: {error.code} {error.reason}"
    except (OSError, ValueError) as error:
        return f"{address}: {error}"


def external_problems(book):
    """Return a line for each link to another host that is not there. Links made by the theme's buttons are left out."""
    addresses = set()
    for page in read_pages(book).values():
        addresses.update(address.partition("#")[0] for address in page.links if address.startswith("http"))
    own = re.compile(r"github\.com/[^/]+/[^/]+/(blob|edit|issues/new)|colab\.research\.google\.com")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return sorted(filter(None, pool.map(ask, (a for a in addresses if not own.search(a)))))


def main():
    """Print each problem; fail if there is one."""
    parser = argparse.ArgumentParser(description="Check the links of the built book.")
    parser.add_argument("--external", action="store_true", help="ask other hosts too")
    parser.add_argument("book", nargs="?", type=Path, default=BOOK)
    args = parser.parse_args()
    if not (args.book / "index.html").is_file():
        sys.exit(f"There is no book in {args.book}. Build it first: make build")
    problems = internal_problems(args.book) + (external_problems(args.book) if args.external else [])
    for problem in problems:
        print(problem)
    sys.exit(f"{len(problems)} links are broken." if problems else None)


if __name__ == "__main__":
    main()
