"""Files of all formats, read with clear errors and written whole; locks, caches and what is derived."""
