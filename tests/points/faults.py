#!/usr/bin/python3
"""Faults that are put into production code, to see that the kill points find them. They are in no build but the programs
`points_FAULT`, each of which is `points` with one source compiled from a changed copy.

    faults.py FAULT OUTPUT      writes the changed copy; fails where the code is not as it was when the fault was written
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "prove"))

from seeding import main  # noqa: E402

# name: the source, what is replaced, by what; and how it is found: in which way, in which scenario, as which fault.
FAULTS = {
    # A message that can be seen before all of it is there.
    "early": ("lib/client/producer_core.cpp", """\
  if (!bytes.empty()) std::memcpy(payload, bytes.data(), bytes.size());
  call_attention(claim);
  return publish_in(
      ring, claim.sequence,
      {claim.start, bytes.size(), 0, in_descriptor ? std::uint32_t{layout::payload_inline} : 0U});
""", """\
  call_attention(claim);
  Result<std::uint64_t> result = publish_in(
      ring, claim.sequence,
      {claim.start, bytes.size(), 0, in_descriptor ? std::uint32_t{layout::payload_inline} : 0U});
  if (!bytes.empty()) std::memcpy(payload, bytes.data(), bytes.size());
  return result;
""", ("kills", "publish", "damaged")),
    # What was claimed by somebody who is too slow is used again at once, as if he were dead.
    "overwrite": ("lib/ring/claim.cpp", """\
  return is_claimed(ring, s) && end_claim(ring, s, Published::revoked);
""", """\
  return is_claimed(ring, s) && end_claim(ring, s, Published::aborted);
""", ("stops", "loan and publish", "damaged")),
    # What a dead consumer had seen is given to the next as if nobody had.
    "unmarked": ("lib/group/shared_group.cpp", """\
hand_back(s, word, s < ahead)""", """\
hand_back(s, word, s > ahead)""", ("kills", "acknowledge", "unmarked")),
    # Nobody is told that a claim of the dead is out of the way.
    "silent": ("daemon/queue.cpp", """\
  // It may have died between a change and the ring for it.
  ring_bells();
""", "", ("kills", "acknowledge", "slow")),
}


if __name__ == "__main__":
    main(FAULTS)
