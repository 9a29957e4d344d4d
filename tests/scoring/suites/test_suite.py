from notclip.scoring.suites.suite import Query, Suite


def test_images_that_are_left_out_are_no_violations_either():
    shown = frozenset({"a", "b", "c"})
    queries = [Query(f"no dog in {name}", name, shown) for name in "abcd"]
    suite = Suite("four", dict.fromkeys("abcd"), negated_queries=queries, gallery=list("abcd"))
    kept = suite.limited(2).negated_queries
    assert [query.excluded for query in kept] == [{"a", "b"}, {"a", "b"}]
    assert kept[0].excluded is kept[1].excluded
