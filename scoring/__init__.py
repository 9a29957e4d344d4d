"""A suite and a model go in, figures with intervals come out: suites, embed, answers, score, results, gate."""
