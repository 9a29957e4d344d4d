"""Results as tables, pictures, worst examples and a page."""
