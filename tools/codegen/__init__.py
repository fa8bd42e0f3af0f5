"""The parts of `codegen.py`: from an OpenAPI document to the files of a Python package.

| module | knows |
| --- | --- |
| `document` | how a document is read from YAML and written as JSON |
| `generator` | how the pinned generator and formatter turn a document into files |
| `patches`, `templates/` | where the generated code is to differ from the generator's own |
| `tree` | how files in memory are compared with a folder, and written to it |
| `changes`, `schema_diff`, `diff` | what a new document changes for callers of the old one |

Nothing here is part of the installed package.
"""
