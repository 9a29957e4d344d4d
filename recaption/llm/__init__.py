"""Phrasing by a language model, each answer read back."""
