"""Questions, pairs and queries, counterbalanced, and the blind test."""
