"""Attacks as data: hostile content of a spec, a dataset, an answer or a plan, and the expected result.

corpus/specs.yaml   spec files, and the rule that refuses each
corpus/texts.yaml   words that a service, a row or a name may hold; no sink lets them act
test_data.py        files in place of datasets: links, pipes, bombs, swaps
test_remote.py      false answers of a service
test_plans.py       saved plans that were edited
test_secrets.py     a key in every encoding
loop.py             the loop of the two fuzzers: cases by number, failures, time and memory
fuzz.py             the same entry points, at random; `python -m tests.security.fuzz --cases 100000`
"""
