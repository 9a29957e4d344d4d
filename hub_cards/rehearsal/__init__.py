"""A release is pushed to a Hub on this machine and used in every way."""
