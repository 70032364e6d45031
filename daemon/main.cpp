// spillringd: the supervisor as a process.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>  // Asio 1.74 needs it before its own headers

#include "client/socket_path.hpp"
#include "log.hpp"
#include "spillring/version.hpp"
#include "supervisor.hpp"

namespace {

constexpr int exit_usage = 64;
constexpr int exit_unavailable = 69;

/// A supervisor's directory is its user's alone.
void make_directory_of(const std::string& socket) {
  const auto directory = std::filesystem::path(socket).parent_path();
  if (directory.empty() || std::filesystem::exists(directory)) return;
  std::filesystem::create_directories(directory);
  std::filesystem::permissions(directory, std::filesystem::perms::owner_all);
}

int run(const spillring::daemon::Supervisor::Options& options) {
  make_directory_of(options.socket);
  spillring::daemon::Supervisor supervisor(options);
  boost::asio::signal_set signals(supervisor.loop(), SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code&, int) { supervisor.stop(); });
  spillring::daemon::log(
      fmt::format("version {}, listening at {}", spillring::version, options.socket));
  supervisor.run();
  return 0;
}

void report(const spillring::Error& error) noexcept {
  std::fprintf(stderr, "error: %s\n", error.summary().c_str());
  if (!error.why().empty()) std::fprintf(stderr, "  why: %s\n", error.why().c_str());
  if (!error.hint().empty()) std::fprintf(stderr, "  hint: %s\n", error.hint().c_str());
}

/// What the command line says; nullopt: it has been answered, `status` says how.
std::optional<spillring::daemon::Supervisor::Options> parse(int argc, char** argv, int& status) {
  CLI::App app("The supervisor of Spillring's queues. Runs in the foreground until SIGTERM.",
               "spillringd");
  spillring::daemon::Supervisor::Options options;
  app.set_version_flag("--version", std::string("spillringd ") + spillring::version);
  app.add_option("--socket", options.socket,
                 "Where clients connect (default: $SPILLRING_SOCKET, else the user's own)");
  // Proves in tests that recovery is what keeps the promises. Not for use.
  app.add_flag("--test-without-recovery", options.without_recovery)->group("");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    status = app.exit(error) == 0 ? 0 : exit_usage;
    return std::nullopt;
  }
  if (options.socket.empty()) {
    const char* named = std::getenv("SPILLRING_SOCKET");
    options.socket = named != nullptr ? named : spillring::client::user_socket();
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) try {
  int status = 0;
  const auto options = parse(argc, argv, status);
  if (!options) return status;
  std::signal(SIGPIPE, SIG_IGN);  // a terminal that went away must not end the supervisor
  return run(*options);
} catch (const spillring::Error& error) {
  report(error);
  return exit_unavailable;
} catch (const std::exception& error) {
  report(spillring::Error(spillring::Code::internal, error.what()));
  return exit_unavailable;
}
