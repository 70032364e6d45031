// Allocations of other threads that fail, for tests of what these do then.
#pragma once

namespace spillring::failing_memory {

/// From now on the allocation after `left` others fails, once. Of the calling thread none does, nor
/// has any before this was called.
void arm(int left) noexcept;
/// True: one has failed.
bool disarm() noexcept;

}  // namespace spillring::failing_memory
