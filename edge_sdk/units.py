"""Numbers as people read them."""

from __future__ import annotations

KB = 1e3  # bytes, as in the SI; 1,024 of them are a KiB


def size_text(size: float) -> str:
    """Bytes, as `284.5 KB` or `1.20 MB`."""
    return f"{size / KB**2:.2f} MB" if size >= KB**2 else f"{size / KB:.1f} KB"
