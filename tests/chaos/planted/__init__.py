"""Bugs that are planted into a copy of the project, one at a time: the histories or a storm must find each of them.

    python -m tests.chaos.planted            # all of them
    python -m tests.chaos.planted stop       # those whose names contain a word

Each `*.patch` here is a unified diff under a few lines that say what it breaks. One that survives shows what the
generators lack; one that doesn't apply any more has to be written anew.
"""
