// Whether what the catalogue says of a queue can be a queue.
#pragma once

#include "catalogue.hpp"

namespace spillring::daemon {

/// Throws `Error` (corrupt), which names the field, where it cannot be: the catalogue is a file,
/// and somebody may have edited it, or its disk may have.
void require_possible(const SavedQueue& saved);

}  // namespace spillring::daemon
