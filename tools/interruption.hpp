// Ctrl-C: leaves at once, and hands back what was in hand.
#pragma once

namespace spillring::tools {

/// Sets up SIGINT and SIGTERM to end the command with 128 + signal, and ignores SIGPIPE so that a
/// reader who left is an error of write(2).
void handle_signals();

/// Thrown where a signal was put off.
struct Interrupted {
  int signal;
};

/// While one of these exists a first signal only makes a wait return, so that what is in hand can
/// be handed back by its owner; a second one ends the command at once all the same.
class OrderlyExit {
 public:
  OrderlyExit() noexcept;
  ~OrderlyExit();
  OrderlyExit(const OrderlyExit&) = delete;
  OrderlyExit& operator=(const OrderlyExit&) = delete;
};

/// True if a signal was put off.
[[nodiscard]] bool interruption_pending() noexcept;
/// Throws `Interrupted` if a signal was put off.
void leave_if_interrupted();

}  // namespace spillring::tools
