"""The whole portal as real processes in a storm: a hostile platform, staff at work, and everything killed now and then.

    make chaos ORDERS=5000 KILLS=30 SEED=7

`plan` draws all that will happen from one seed, `shop` starts the processes, `weather` and `people` carry the plan out,
`settling` lets everything come to rest, and `books` and `verdict` read both books and say what doesn't hold.
"""
