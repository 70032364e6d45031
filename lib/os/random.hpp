// Numbers that nobody can guess.
#pragma once

#include <cstdint>

namespace spillring::os {

std::uint64_t random_number();

}  // namespace spillring::os
