// All scenarios, in the order in which they are explored. A new one is a function in one of the
// files below, and its line in scenarios/all.cpp.
#pragma once

#include <span>

#include "search.hpp"

namespace explore {

std::span<const Scenario> scenarios();

}  // namespace explore
