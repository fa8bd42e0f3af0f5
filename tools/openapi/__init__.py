"""The API document and the contract it was written from, read and compared.

The files are in `openapi/`; the tests in `tests/unit/openapi/` and `make drift` look at them
through this package, so that both say the same.
"""
