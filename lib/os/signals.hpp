// Signals: held back, and as something to poll.
#pragma once

#include <initializer_list>

#include "os/fd.hpp"

namespace spillring::os {

/// From now on the calling thread is not interrupted by these signals; they wait.
void hold_signals(std::initializer_list<int> numbers) noexcept;
/// The same thread takes them again, first of all those that have waited.
void admit_signals(std::initializer_list<int> numbers) noexcept;

/// Blocks these signals in this thread, and those it starts, and delivers them here. Throws
/// `Error`.
Fd signal_descriptor(std::initializer_list<int> numbers);
/// The next one; 0: there is none.
int take_signal(const Fd& descriptor) noexcept;

}  // namespace spillring::os
