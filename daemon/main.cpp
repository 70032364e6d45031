// spillringd: a keeper and the supervisor it keeps, each as a process of its own.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>  // Asio 1.74 needs it before its own headers

#include "client/socket_path.hpp"
#include "keeper.hpp"
#include "log.hpp"
#include "os/process.hpp"
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

using spillring::daemon::Keeper;
using spillring::daemon::KeeperLine;
using spillring::daemon::Role;
using spillring::daemon::Supervisor;

struct Settings {
  Supervisor::Options supervisor;
  std::string role;  // empty: started by somebody else than this program
};

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
  make_directory_of(settings.supervisor.socket);
  Supervisor supervisor(settings.supervisor, meet_keeper(role),
                        [&role] { return start_keeper(role); });
  boost::asio::signal_set signals(supervisor.loop(), SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code&, int) { supervisor.stop(); });
  spillring::daemon::log(
      fmt::format("version {}, listening at {}", spillring::version, settings.supervisor.socket));
  supervisor.run();
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
  return Keeper(role).run();
}

void report(const spillring::Error& error) noexcept {
  std::fprintf(stderr, "error: %s\n", error.summary().c_str());
  if (!error.why().empty()) std::fprintf(stderr, "  why: %s\n", error.why().c_str());
  if (!error.hint().empty()) std::fprintf(stderr, "  hint: %s\n", error.hint().c_str());
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
  return settings;
}

}  // namespace

int main(int argc, char** argv) try {
  int status = 0;
  const auto settings = parse(argc, argv, status);
  if (!settings) return status;
  std::signal(SIGPIPE, SIG_IGN);  // a terminal that went away must not end the supervisor
  spillring::os::raise_descriptor_limit();
  std::vector<std::string> arguments(argv, argv + argc);
  if (!settings->role.empty()) arguments.pop_back();  // it stands last (Role::start)
  return run(*settings, Role(std::move(arguments)));
} catch (const spillring::Error& error) {
  report(error);
  return exit_unavailable;
} catch (const std::exception& error) {
  report(spillring::Error(spillring::Code::internal, error.what()));
  return exit_unavailable;
}
