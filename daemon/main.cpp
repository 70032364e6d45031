// spillringd: a keeper and the supervisor it keeps, each as a process of its own.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <optional>
#include <utility>  // Asio 1.74 needs it before its own headers

#include "client/socket_path.hpp"
#include "command_line.hpp"
#include "config.hpp"
#include "confinement.hpp"
#include "exit.hpp"
#include "keeper.hpp"
#include "log.hpp"
#include "os/activation.hpp"
#include "os/detach.hpp"
#include "os/directory.hpp"
#include "os/kernel.hpp"
#include "os/memory.hpp"
#include "os/notify.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"
#include "spillring/version.hpp"
#include "supervisor.hpp"

namespace {

using spillring::daemon::CommandLine;
using spillring::daemon::Config;
using spillring::daemon::ConfigError;
using spillring::daemon::Keeper;
using spillring::daemon::KeeperLine;
using spillring::daemon::KeptPacket;
using spillring::daemon::Role;
using spillring::daemon::Settings;
using spillring::daemon::Supervisor;

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

/// The text of the settings that the supervisor before this one had; nullopt: this is the first.
std::optional<std::string> text_before(std::vector<KeptPacket>& kept) {
  const KeptPacket* packet = spillring::daemon::find_kept(kept, spillring::layout::Kept::settings);
  if (packet == nullptr || packet->descriptors.empty()) return std::nullopt;
  return spillring::os::read_text(packet->descriptors[0]);
}

/// Reads the settings anew. A file that has become wrong changes nothing: the queues must not be
/// lost of it.
Settings settings_now(const CommandLine& line, const std::optional<std::string>& before) try {
  const Config config = spillring::daemon::config_of(line);
  Settings settings = spillring::daemon::settings_of(line, config);
  if (before && *before != config.text) {
    spillring::daemon::log(config.file + " has changed; its settings are in force");
  }
  return settings;
} catch (const ConfigError& error) {
  if (!before) throw;
  for (const std::string& problem : error.problems()) spillring::daemon::log(problem);
  spillring::daemon::log("the settings stay as they were before the file was changed");
  return spillring::daemon::settings_of(line, Config{"", *before});
}

/// The socket stays where the clients' connections are: that needs a restart.
void stay_at(const std::string& socket, bool passed, Settings& settings) {
  if (socket.empty()) return;
  if (settings.socket != socket && !passed) {
    spillring::daemon::log(fmt::format("it goes on listening at {}; only a restart changes to {}",
                                       socket, settings.socket));
  }
  settings.socket = socket;
}

int run_supervisor(const CommandLine& line, const Role& role) {
  // Who asks it to end may do so at any time, and more than once.
  spillring::os::hold_signals({SIGTERM, SIGINT});
  Supervisor::Keeper keeper = meet_keeper(role);
  Settings settings = settings_now(line, text_before(keeper.kept));
  const bool passed =
      spillring::daemon::find_kept(keeper.kept, spillring::layout::Kept::listener) != nullptr;
  stay_at(line.at, passed, settings);
  const std::string socket = settings.socket;
  spillring::os::make_private_directory(spillring::os::directory_of(socket));
  Supervisor supervisor(std::move(settings), std::move(keeper),
                        [&role] { return start_keeper(role); });
  boost::asio::signal_set signals(supervisor.loop(), SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code&, int) { supervisor.stop(); });
  spillring::daemon::log(fmt::format("version {}, listening at {}", spillring::version, socket));
  spillring::os::admit_signals({SIGTERM, SIGINT});
  supervisor.run();
  spillring::os::hold_signals({SIGTERM, SIGINT});
  supervisor.leave();
  return 0;
}

/// The first process: nobody has started it but people, a client, or the service manager. It
/// confines itself, and with that all that come after it.
int run_first(const CommandLine& line) {
  const Config config = spillring::daemon::config_of(line);
  const Settings settings = spillring::daemon::settings_of(line, config);
  if (line.check_config) {
    std::puts(config.file.empty() ? "ok: there is no configuration file"
                                  : (config.file + ": ok").c_str());
    return 0;
  }
  spillring::os::require_calls();
  spillring::daemon::confine();
  if (!line.background) {
    auto passed = spillring::os::take_passed_listener();
    if (!passed) return Keeper(Role(arguments_for(line, settings.socket))).run();
    return Keeper(Role(arguments_for(line, passed->path)), {}, std::move(passed->socket)).run();
  }
  spillring::os::forget_manager();  // that of the client whose first use this is
  const std::string log = spillring::client::user_log();
  spillring::os::make_private_directory(spillring::os::directory_of(log));
  int status = 0;
  auto ready = spillring::os::detach(log, status);
  if (!ready) return status;
  return Keeper(Role(arguments_for(line, settings.socket)),
                [&ready] { spillring::os::tell_ready(*std::move(ready)); })
      .run();
}

int run(const CommandLine& line) {
  if (line.role.empty()) return run_first(line);
  const Role role(arguments_for(line, line.at));
  if (line.role == "keeper") {
    return Keeper(role, spillring::os::Fd(spillring::os::spawned_line)).run();
  }
  std::signal(SIGHUP, SIG_IGN);  // the keeper's: it reloads
  return run_supervisor(line, role);
}

void report(const spillring::Error& error) noexcept {
  std::fprintf(stderr, "error: %s\n", error.summary().c_str());
  if (!error.why().empty()) std::fprintf(stderr, "  why: %s\n", error.why().c_str());
  if (!error.hint().empty()) std::fprintf(stderr, "  hint: %s\n", error.hint().c_str());
}

}  // namespace

int main(int argc, char** argv) try {
  int status = 0;
  const auto line = spillring::daemon::parse(argc, argv, status);
  if (!line) return status;
  spillring::os::secure_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);  // a terminal that went away must not end the supervisor
  spillring::os::raise_descriptor_limit();
  return run(*line);
} catch (const ConfigError& error) {
  for (const std::string& problem : error.problems()) {
    std::fwrite(problem.data(), 1, problem.size(), stderr);  // it may quote a byte zero
    std::fputc('\n', stderr);
  }
  return spillring::daemon::exit_config;
} catch (const spillring::Error& error) {
  report(error);
  return spillring::daemon::status_for(error.code());
} catch (const std::exception& error) {
  report(spillring::Error(spillring::Code::internal, error.what()));
  return spillring::daemon::exit_unavailable;
}
