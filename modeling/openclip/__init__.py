"""Checkpoints of OpenCLIP, read and written."""
