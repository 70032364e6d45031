// The program, and where its socket is.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "diagnosis/checks.hpp"
#include "os/lock_file.hpp"
#include "os/process.hpp"
#include "spillring/version.hpp"

namespace spillring::diagnosis {

namespace {

struct Node {
  bool there = false;
  mode_t mode = 0;
  uid_t owner = 0;
};

Node node_at(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {true, status.st_mode, status.st_uid};
}

std::string words_for(const Node& node) {
  return fmt::format("user {}, mode {:04o}", node.owner, node.mode & 07777U);
}

bool is_trusted(uid_t owner) { return owner == 0 || owner == ::geteuid(); }

}  // namespace

Findings program(const Patient& patient) {
  if (!patient.daemon) {
    return {{patient.client ? Verdict::warning : Verdict::broken, "spillringd is not on PATH",
             "no supervisor can be started on first use", "install spillringd, or extend PATH"}};
  }
  const std::string expected = fmt::format("spillringd {}", version);
  std::string said = os::output_of(*patient.daemon, {"spillringd", "--version"});
  said.resize(std::min<std::size_t>(said.find('\n'), said.size()));
  if (said == expected) return {{Verdict::ok, fmt::format("{} at {}", said, *patient.daemon)}};
  return {{Verdict::warning, fmt::format("{} is not of this version", *patient.daemon),
           fmt::format("this is {}, it says '{}'", version, said.substr(0, 100)),
           "install the command and spillringd of one release"}};
}

Findings directory(const Patient& patient) {
  const Node node = node_at(patient.directory);
  if (!node.there) {
    if (patient.may_start) {
      return {{Verdict::ok, patient.directory + " is made at the first use"}};
    }
    return {{Verdict::broken, "there is no directory " + patient.directory,
             "the socket would be in it", "create it, or name another socket"}};
  }
  const std::string what = fmt::format("{}: {}", patient.directory, words_for(node));
  if (!S_ISDIR(node.mode)) {
    return {{Verdict::broken, patient.directory + " is no directory", "the socket would be in it",
             "name another socket"}};
  }
  const bool sticky = (node.mode & S_ISVTX) != 0;
  if ((node.mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky) {
    return {{Verdict::broken, what,
             "who may write to it can put another socket in the place of this one; no supervisor "
             "starts there",
             fmt::format("chmod go-w {}", patient.directory)}};
  }
  const Node socket = node_at(patient.socket.path);
  if (!is_trusted(node.owner) && !(socket.there && socket.owner == node.owner)) {
    return {{Verdict::warning, what, "it belongs to another user",
             "take a directory that is your own or the system's"}};
  }
  return {{Verdict::ok, what}};
}

Findings socket(const Patient& patient) {
  const std::string& path = patient.socket.path;
  const std::string which = fmt::format("{}, because {}", path, patient.socket.because);
  const Node node = node_at(path);
  if (!node.there) {
    if (patient.may_start) return {{Verdict::ok, which + "; the first use starts a supervisor"}};
    return {{Verdict::broken, which + ": it is not there", "no supervisor runs there",
             "start one with: spillringd --socket " + path}};
  }
  if (!S_ISSOCK(node.mode)) {
    return {{Verdict::broken, which + ": it is no socket", "something else is in its place",
             "remove it, or name another socket"}};
  }
  const std::string what = fmt::format("{}: {}", which, words_for(node));
  if (::access(path.c_str(), W_OK) != 0) {
    return {{Verdict::broken, what, "you may not connect to it",
             "ask its owner for: spillringd --socket-mode 0660 or 0666"}};
  }
  if (patient.socket.own && node.owner != ::geteuid()) {
    return {{Verdict::warning, what, "it belongs to another user", "remove it"}};
  }
  return {{Verdict::ok, what}};
}

Findings lock(const Patient& patient) {
  const Node node = node_at(patient.lock);
  if (!node.there) {
    if (!patient.client) return {};
    return {{Verdict::warning, patient.lock + " is not there",
             "it vanished, or this is another name of the socket",
             "name the socket as its supervisor does"}};
  }
  if (::access(patient.lock.c_str(), R_OK | W_OK) != 0) {
    return {{Verdict::ok, patient.lock + " is not for this user to read"}};
  }
  if (os::is_locked(patient.lock)) {
    if (patient.client) return {{Verdict::ok, patient.lock + " is locked by its supervisor"}};
    return {{Verdict::warning, patient.lock + " is locked, and nobody answers",
             "a supervisor is about to start or to end, or is stopped", "try again"}};
  }
  if (!patient.client) {
    return {{Verdict::ok, patient.lock + " was left by a supervisor that was killed"}};
  }
  return {{Verdict::broken, patient.lock + " is not locked, and somebody answers",
           "what listens there is not the supervisor that the lock belongs to",
           "stop what listens there, and start spillringd"}};
}

}  // namespace spillring::diagnosis
