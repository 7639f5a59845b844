"""Attacks, as data: what an attacker may put into a spec, a dataset, an answer or a plan, and the expected result.

corpus/specs.yaml   spec files, and the rule that refuses each
corpus/texts.yaml   words that a service, a row or a name may hold; no sink lets them act
test_data.py        files in place of datasets: links, pipes, bombs, swaps
test_remote.py      answers of a service that lies
test_plans.py       saved plans that were edited
test_secrets.py     a key in every dress
fuzz.py             the same entry points, at random; `python -m tests.security.fuzz --cases 100000`
"""
