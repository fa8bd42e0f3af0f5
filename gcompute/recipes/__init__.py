"""What each method of a client does, without sending anything: see :mod:`gcompute.calls`.

A recipe's first argument is the client's settings and memory; the rest, and the docstring, are
those of the method that users call.
"""
