"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

import os
import pathlib
import threading


def write_atomically(path, text: str | bytes) -> None:
    """Write a file so that it is there in full or not at all, even when the machine is switched off."""
    path = pathlib.Path(path)
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
