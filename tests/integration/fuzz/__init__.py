"""Invented input in masses: callbacks, answers of the platform, lists and forms; see docs/reliability.md.

FUZZ says how many inputs there are in all, half of them callbacks, a quarter answers, a quarter rows and forms. The
seed is printed; FUZZ_SEED plays the same inputs again. What once failed is in `kept.py` and comes first every time.
"""
