// spillringd: a keeper and the supervisor it keeps, each as a process of its own.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>  // Asio 1.74 needs it before its own headers

#include "client/socket_path.hpp"
#include "keeper.hpp"
#include "log.hpp"
#include "os/detach.hpp"
#include "os/directory.hpp"
#include "os/process.hpp"
#include "spillring/version.hpp"
#include "supervisor.hpp"

namespace {

constexpr int exit_usage = 64;
constexpr int exit_unavailable = 69;
constexpr int exit_exists = 73;  // lib/client/autostart.cpp knows it
constexpr int exit_denied = 77;

int status_for(spillring::Code code) noexcept {
  if (code == spillring::Code::exists) return exit_exists;
  if (code == spillring::Code::invalid) return exit_usage;
  return code == spillring::Code::denied ? exit_denied : exit_unavailable;
}

using spillring::daemon::Keeper;
using spillring::daemon::KeeperLine;
using spillring::daemon::Role;
using spillring::daemon::Supervisor;

struct Settings {
  Supervisor::Options supervisor;
  std::string socket_mode = "0600";
  bool background = false;
  std::string role;  // empty: started by somebody else than this program
};

/// What the other processes of this program are started with.
std::vector<std::string> arguments_of(const Supervisor::Options& options) {
  std::vector<std::string> arguments{"spillringd", "--socket", options.socket, "--idle-exit",
                                     std::to_string(options.idle_exit.count())};
  for (const auto& [name, value] : {std::pair("--max-queues", options.quota.queues),
                                    std::pair("--max-clients", options.quota.clients),
                                    std::pair("--max-memory", options.quota.memory)}) {
    arguments.insert(arguments.end(), {name, std::to_string(value)});
  }
  arguments.insert(arguments.end(), {"--socket-mode", fmt::format("{:04o}", options.socket_mode)});
  if (!options.state_dir.empty()) {
    arguments.insert(arguments.end(), {"--state-dir", options.state_dir});
  }
  if (options.without_recovery) arguments.emplace_back("--test-without-recovery");
  return arguments;
}

/// A keeper that the supervisor starts: it knows nothing yet, not even who started it.
KeeperLine start_keeper(const Role& role) {
  Role::Started started = role.start(Role::Kind::keeper);
  KeeperLine line(std::move(started.line), std::move(started.process), started.pid);
  const auto me = spillring::daemon::keeping_record(spillring::layout::Keeping::keep,
                                                    spillring::layout::Kept::process,
                                                    static_cast<std::uint64_t>(::getpid()));
  line.keep(me, {spillring::os::pidfd_of(::getpid()).get()});
  return line;
}

/// What the keeper has. Where it dies in the middle, what has come so far is what there is.
Supervisor::Keeper meet_keeper(const Role& role) {
  using spillring::layout::Keeping;
  using spillring::layout::Kept;
  spillring::os::Fd line(spillring::os::spawned_line);
  spillring::os::Fd process;
  pid_t pid = 0;
  Supervisor::Keeper keeper;
  while (auto packet = spillring::daemon::receive_kept(line)) {
    const auto& record = packet->record;
    if (static_cast<Keeping>(record.op) == Keeping::complete) break;
    if (static_cast<Kept>(record.kind) == Kept::process && !packet->descriptors.empty()) {
      pid = static_cast<pid_t>(record.id);
      process = std::move(packet->descriptors[0]);
    } else {
      keeper.kept.push_back(*std::move(packet));
    }
  }
  keeper.line = process ? KeeperLine(std::move(line), std::move(process), pid) : start_keeper(role);
  return keeper;
}

int run_supervisor(const Settings& settings, const Role& role) {
  spillring::os::make_private_directory(spillring::os::directory_of(settings.supervisor.socket));
  Supervisor supervisor(settings.supervisor, meet_keeper(role),
                        [&role] { return start_keeper(role); });
  boost::asio::signal_set signals(supervisor.loop(), SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code&, int) { supervisor.stop(); });
  spillring::daemon::log(
      fmt::format("version {}, listening at {}", spillring::version, settings.supervisor.socket));
  supervisor.run();
  supervisor.leave();
  return 0;
}

int run(const Settings& settings, const Role& role) {
  if (settings.role == "supervisor") {
    std::signal(SIGHUP, SIG_IGN);  // the keeper's: it reloads
    return run_supervisor(settings, role);
  }
  if (settings.role == "keeper") {
    return Keeper(role, spillring::os::Fd(spillring::os::spawned_line)).run();
  }
  if (!settings.background) return Keeper(role).run();
  const std::string log = spillring::client::user_log();
  spillring::os::make_private_directory(spillring::os::directory_of(log));
  int status = 0;
  auto ready = spillring::os::detach(log, status);
  if (!ready) return status;
  return Keeper(role, [&ready] { spillring::os::tell_ready(*std::move(ready)); }).run();
}

void report(const spillring::Error& error) noexcept {
  std::fprintf(stderr, "error: %s\n", error.summary().c_str());
  if (!error.why().empty()) std::fprintf(stderr, "  why: %s\n", error.why().c_str());
  if (!error.hint().empty()) std::fprintf(stderr, "  hint: %s\n", error.hint().c_str());
}

unsigned mode_of(const std::string& text) {
  unsigned mode = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error != std::errc{} || rest != text.data() + text.size() || (mode & ~0666U) != 0) {
    throw spillring::Error(spillring::Code::invalid, "'" + text + "' is not a mode of a socket",
                           "it is octal, of read and write", "take 0600, 0660 or 0666");
  }
  return mode;
}

/// What the command line says; nullopt: it has been answered, `status` says how.
std::optional<Settings> parse(int argc, char** argv, int& status) {
  CLI::App app("The supervisor of Spillring's queues. Runs in the foreground until SIGTERM.",
               "spillringd");
  Settings settings;
  Supervisor::Options& options = settings.supervisor;
  app.set_version_flag("--version", std::string("spillringd ") + spillring::version);
  app.add_option("--socket", options.socket,
                 "Where clients connect (default: $SPILLRING_SOCKET, else the user's own)");
  app.add_option("--state-dir", options.state_dir,
                 "Where queues outlive the daemon and spill to (default: none with --socket, else\n"
                 "~/.local/state/spillring)")
      ->option_text("DIR");
  app.add_flag("--background", settings.background,
               "Leave the terminal; return when clients can connect; log to\n"
               "~/.local/state/spillring/spillringd.log");
  std::int64_t idle_exit = 0;
  app.add_option("--idle-exit", idle_exit,
                 "End after so many seconds without clients and messages (default: never)")
      ->check(CLI::NonNegativeNumber)
      ->option_text("SECONDS");
  app.add_option("--socket-mode", settings.socket_mode,
                 "Who may connect, in octal (0600); each queue has a mode of its own")
      ->option_text("MODE");
  app.add_option("--max-queues", options.quota.queues, "Most queues of one user (1024)")
      ->option_text("N");
  app.add_option("--max-clients", options.quota.clients, "Most connections of one user (1024)")
      ->option_text("N");
  app.add_option("--max-memory", options.quota.memory,
                 "Most shared memory of one user's queues, for example 4GiB (4GiB)")
      ->transform(CLI::AsSizeValue(false))
      ->option_text("SIZE");
  // Proves in tests that recovery is what keeps the promises. Not for use.
  app.add_flag("--test-without-recovery", options.without_recovery)->group("");
  // Between the two processes that it runs as (keeper.hpp).
  app.add_option("--role", settings.role)->group("");
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
  options.socket = std::filesystem::absolute(options.socket);
  if (options.state_dir.empty() && options.socket == spillring::client::user_socket()) {
    options.state_dir = spillring::client::state_directory();
  }
  if (!options.state_dir.empty()) options.state_dir = std::filesystem::absolute(options.state_dir);
  options.socket_mode = mode_of(settings.socket_mode);
  options.idle_exit = std::chrono::seconds(idle_exit);
  return settings;
}

}  // namespace

int main(int argc, char** argv) try {
  int status = 0;
  const auto settings = parse(argc, argv, status);
  if (!settings) return status;
  spillring::os::secure_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);  // a terminal that went away must not end the supervisor
  spillring::os::raise_descriptor_limit();
  return run(*settings, Role(arguments_of(settings->supervisor)));
} catch (const spillring::Error& error) {
  report(error);
  return status_for(error.code());
} catch (const std::exception& error) {
  report(spillring::Error(spillring::Code::internal, error.what()));
  return exit_unavailable;
}
