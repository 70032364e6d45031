#!/usr/bin/python3
"""Faults that are put into production code, to see that the fuzzer finds them. They are in no build but the programs
`fuzz_FAULT`, each of which is `fuzz` with one source compiled from a changed copy.

    seeded.py FAULT OUTPUT      writes the changed copy; fails where the code is not as it was when the fault was written
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "prove"))

from seeding import main  # noqa: E402

# name: the source, what is replaced, by what; and the target that finds it.
FAULTS = {
    # A batch may begin before the one in front of it has ended.
    "order": ("lib/journal/segment_reader.cpp", "header.first >= behind &&\n", "header.first + 1000 >= behind &&\n", "journal"),
    # Memory for as much as a header speaks of, whether it is there or not.
    "unbounded": ("lib/journal/segment_reader.cpp", """\
    if (size_of(file_) + layout::batch_unit <= spot.offset + spot.size) return nullptr;
""", "    if (size_of(file_) == 0) return nullptr;\n", "journal"),
    # As many descriptors as there should be.
    "descriptors": ("lib/client/attachment.cpp", """\
  if (answer.descriptors.size() < expected) {
""", """\
  if (answer.descriptors.size() + 99 < expected) {
""", "answers"),
    # An extent that is longer than the ring.
    "beyond": ("lib/ring/claim.cpp", """\
  if (length > ring.arena()) return {{ClaimStatus::no_bytes, ring.first(), 0}};
""", "", "ring"),
    # Options that are refused, and are there all the same.
    "refused": ("daemon/queue.cpp", "  layout::Request wanted = options_;\n", "  layout::Request& wanted = options_;\n",
                "requests"),
}

if __name__ == "__main__":
    main(FAULTS)
