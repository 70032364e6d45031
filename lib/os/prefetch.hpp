// Asking the processor for a cache line before it is needed.
#pragma once

namespace spillring::os {

/// Brings the line at `address` here to be written to. A hint: any address will do; a processor
/// that does not know it (prefetchw, of 2014 on Intel's) does nothing.
inline void prefetch_to_write(const void* address) noexcept {
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(address)));
}

}  // namespace spillring::os
