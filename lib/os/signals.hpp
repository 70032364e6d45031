// Signals as something to poll.
#pragma once

#include <initializer_list>

#include "os/fd.hpp"

namespace spillring::os {

/// Blocks these signals in this thread, and those it starts, and delivers them here. Throws
/// `Error`.
Fd signal_descriptor(std::initializer_list<int> numbers);
/// The next one; 0: there is none.
int take_signal(const Fd& descriptor) noexcept;

}  // namespace spillring::os
