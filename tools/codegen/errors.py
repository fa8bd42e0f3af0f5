"""The one error that the parts of `codegen.py` raise."""


class CodegenError(Exception):
    """What was asked for cannot be done; the message says why and what to do next."""
