"""`python -m index SOURCE ...`: adds sources to a library, without the rest of the program."""

from __future__ import annotations

import argparse
import sys

from index import HomeError, IndexingError, Library, chosen_home


def main() -> int:
    """Indexes the sources; 0 where all were read, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m index", description="Add saved listing pages to the library.")
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="files, folders or globs")
    parser.add_argument("--home", metavar="DIR", help="the folder of the library [default: ASSISTANT_HOME, else user data]")
    options = parser.parse_args()
    try:
        library = Library(chosen_home(options.home)[0])
        made = library.manifest()
        if made is not None and made.place:
            raise HomeError(f"{library.home}: its vectors are on {made.place}, which the settings name: use `assistant index`")
        report = library.add(options.sources)
    except IndexingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{report.read} entries read, {report.new} new, {report.papers} papers in the library")
    for failure in report.failed:
        print(f"error: {failure}", file=sys.stderr)
    return 1 if report.failed else 0


sys.exit(main())
