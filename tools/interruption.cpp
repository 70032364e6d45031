#include "interruption.hpp"

#include <unistd.h>

#include <csignal>

namespace spillring::tools {
namespace {

// Written by the handler: nothing but sig_atomic_t is safe there.
volatile std::sig_atomic_t orderly = 0;
volatile std::sig_atomic_t pending = 0;

extern "C" void on_signal(int signal) {
  if (orderly == 0 || pending != 0) _exit(128 + signal);
  pending = signal;
}

void set_handler(int signal, void (*handler)(int)) {
  struct sigaction action {};
  // Who was started to ignore it (nohup, a job in the background) goes on ignoring it.
  if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) return;
  action = {};
  action.sa_handler = handler;
  // No SA_RESTART: a blocked read or write has to return.
  sigaction(signal, &action, nullptr);
}

}  // namespace

void handle_signals() {
  set_handler(SIGINT, on_signal);
  set_handler(SIGTERM, on_signal);
  set_handler(SIGPIPE, SIG_IGN);
}

OrderlyExit::OrderlyExit() noexcept { orderly = 1; }
OrderlyExit::~OrderlyExit() { orderly = 0; }

bool interruption_pending() noexcept { return pending != 0; }

void leave_if_interrupted() {
  if (interruption_pending()) throw Interrupted{pending};
}

}  // namespace spillring::tools
