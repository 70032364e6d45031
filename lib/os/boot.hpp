// Which boot of the machine this is.
#pragma once

#include <cstdint>

namespace spillring::os {

/// A number that only this boot has: what was read from CLOCK_MONOTONIC in another means nothing
/// now. Where the kernel does not tell, one that nothing else has.
std::uint64_t boot_number();

}  // namespace spillring::os
