"""Generate the Python bindings from the OpenAPI document, or check them, or compare documents.

    python codegen.py                            rewrite generated/gcompute_api
    python codegen.py --check                    name the files that a rewrite would change
    python codegen.py --spec FILE --output DIR   generate another package from another document
    python codegen.py --diff OLD NEW             say what a new document changes for callers

The last part of DIR is the new package's import name. Exit status: 0 when all is well; 1 when
`--check` found a difference or `--diff` found a change that breaks callers; 2 when it could not
be done, and then nothing was written. Writing and checking differ in their last step only.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.codegen.diff import diff_documents
from tools.codegen.document import load_document
from tools.codegen.errors import CodegenError
from tools.codegen.generator import generate
from tools.codegen.tree import compare, read_tree, write_tree

ROOT = Path(__file__).resolve().parent
SPEC = ROOT / "openapi" / "compute.yaml"
OUTPUT = ROOT / "generated" / "gcompute_api"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spec", type=Path, default=SPEC, metavar="FILE")
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="DIR")
    task = parser.add_mutually_exclusive_group()
    task.add_argument("--check", action="store_true")
    task.add_argument("--diff", type=Path, nargs=2, metavar=("OLD", "NEW"))
    options = parser.parse_args(argv)
    try:
        if options.diff:
            return show_diff(*options.diff)
        return update(options.spec.resolve(), options.output.resolve(), check=options.check)
    except CodegenError as error:
        print(f"codegen.py: {error}", file=sys.stderr)
        return 2


def update(spec: Path, output: Path, *, check: bool) -> int:
    """Generate a package, and write it or compare it with what is there."""
    if not output.name.isidentifier():
        raise CodegenError(f"{output}: the folder's name is not a valid package name")
    wanted = generate(load_document(spec), package=output.name, command=command_for(spec, output))
    differences = compare(wanted, read_tree(output)) if check else write_tree(output, wanted)
    if not check:
        print(f"{output.name}: {len(wanted)} files, {len(differences)} of them changed")
        return 0
    for name, what in differences.items():
        print(f"{what:8} {output.name}/{name}")
    if differences:
        print(f"{len(differences)} files differ: run `{command_for(spec, output)}`")
        return 1
    print(f"{output.name}: {len(wanted)} files, all up to date with {spec.name}")
    return 0


def command_for(spec: Path, output: Path) -> str:
    """Return the command for a banner: file names only, so that it is the same everywhere."""
    return " ".join(
        [
            "python codegen.py",
            *([f"--spec {spec.name}"] if spec != SPEC else []),
            *([f"--output {output.name}"] if output != OUTPUT else []),
        ]
    )


def show_diff(old: Path, new: Path) -> int:
    """Print what changed between two documents, breaking changes first."""
    changes = diff_documents(load_document(old), load_document(new))
    for change in sorted(changes, key=lambda change: not change.breaks):
        print(f"{'breaks' if change.breaks else 'ok':7} {change.where}: {change.what}")
    breaking = sum(change.breaks for change in changes)
    print(f"{len(changes)} changes, {breaking} of them break callers")
    return 1 if breaking else 0


if __name__ == "__main__":
    sys.exit(main())
