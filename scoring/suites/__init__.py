"""Suites: NegBench's files, built datasets, and a user's own."""
