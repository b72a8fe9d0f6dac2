"""Serve the built book on this machine only: `python tools/serve.py [--port 8000]`."""

import argparse
import contextlib
import errno
import functools
import re
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

BOOK = Path(__file__).resolve().parent.parent / "_build" / "html"
TRIES = 20


class Handler(SimpleHTTPRequestHandler):
    """Files of the book, with the types that browsers insist on, and quiet about requests that went well."""

    extensions_map: ClassVar = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".whl": "application/zip",
        ".woff": "font/woff",
        ".woff2": "font/woff2",
        ".webp": "image/webp",
    }

    others: ClassVar = "no-cache"
    """How long a browser keeps files without a digest in their name: it asks each time, since they are rebuilt."""

    def log_request(self, code="-", size="-"):
        """Report only what went wrong."""
        if str(code).startswith(("4", "5")):
            super().log_request(code, size)

    def send_error(self, code, message=None, explain=None):
        """Answer a wrong address with the book's own page, as a host does."""
        page = Path(self.directory, "404.html")
        if code != 404 or not page.is_file():
            super().send_error(code, message, explain)
            return
        body = re.sub(rb'<base href="[^"]*">', b'<base href="/">', page.read_bytes())
        self.send_response(404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def end_headers(self):
        """Keep what carries a digest in its name for ever."""
        kept = re.search(r"/_static/ck/(pyodide-|coursekit-)", self.path)
        self.send_header("Cache-Control", "public, max-age=31536000, immutable" if kept else self.others)
        super().end_headers()


def bind(port, directory, kind=Handler):
    """Take the first free port from `port` on, and say so when it is not the one that was asked for."""
    handler = functools.partial(kind, directory=str(directory))
    for candidate in range(port, min(port + TRIES, 65536)):
        try:
            server = ThreadingHTTPServer(("127.0.0.1", candidate), handler)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            why = "busy" if error.errno == errno.EADDRINUSE else "not allowed"
            print(f"Port {candidate} is {why}, trying {candidate + 1}.", flush=True)
        else:
            server.daemon_threads = True
            return server
    sys.exit(f"No free port between {port} and {port + TRIES - 1}. Name another one: make book PORT=9000")


@contextlib.contextmanager
def background(directory, kind=Handler):
    """Serve a book on a free port as long as the block runs; gives the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(kind, directory=str(directory)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def main():
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Serve the built book on 127.0.0.1.")
    parser.add_argument("--port", default="8000")
    parser.add_argument("--directory", type=Path, default=BOOK)
    args = parser.parse_args()
    if not args.port.isdecimal() or not 0 < int(args.port) < 65536:
        sys.exit(f"PORT is {args.port!r}; it must be a number from 1 to 65535. For example: make book PORT=9000")
    if not (args.directory / "index.html").is_file():
        sys.exit(f"There is no book in {args.directory}. Build it first: make build")
    server = bind(int(args.port), args.directory)
    print(f"\nThe book is at http://127.0.0.1:{server.server_port}/ (Ctrl-C stops the server)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("\nStopped.")
    finally:
        server.server_close()


if __name__ == "__main__":
    main()
