"""What can be present or absent: the lexicon, and where a text mentions it."""
