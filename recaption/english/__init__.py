"""How people write what is absent: noun phrases, patterns, forms, phrasing, domains."""
