// spillring journal export: all that can be read of a journal, into a file.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

#include "arguments.hpp"
#include "journal_pour.hpp"
#include "output.hpp"
#include "state_directory.hpp"
#include "verb.hpp"

namespace spillring::tools {
namespace {

struct JournalExportArguments {
  std::string queue;
  std::string state;
  std::string target = "-";
};

/// A file that was not there before: what it may hold already is perhaps the only copy. Pipes and
/// devices are written to as they are.
class NewFile {
 public:
  explicit NewFile(const std::string& path) : fd_(open_at(path)) {
    if (fd_ >= 0) return;
    const bool denied = errno == EACCES || errno == EPERM;
    throw Failure(denied ? Exit::denied : Exit::cannot_create,
                  fmt::format("cannot write to '{}'", path), std::generic_category().message(errno),
                  "name another file after --to");
  }
  ~NewFile() { close(fd_); }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_; }
  /// Throws `Failure` where the disk does not have what was written.
  void sync(const std::string& path) const {
    if (fsync(fd_) == 0 || errno == EINVAL || errno == EROFS) return;  // no disk is behind it
    throw file_failure(errno, fmt::format("cannot write to '{}'", path));
  }

 private:
  static int open_at(const std::string& path) {
    const int made = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct stat there {};
    if (made >= 0 || errno != EEXIST) return made;
    if (stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
      return open(path.c_str(), O_WRONLY | O_CLOEXEC);
    }
    errno = EEXIST;
    return -1;
  }

  int fd_;
};

Poured export_to(const StoredJournal& journal, const std::string& target,
                 const Rendering& rendering, const Settings& settings) {
  if (target == "-") {
    return pour_journal(journal, {.fd = STDOUT_FILENO, .target = "stdout"}, rendering, settings);
  }
  const NewFile file(target);
  Poured poured;
  try {
    poured = pour_journal(journal, {.fd = file.fd(), .target = target}, rendering, settings);
  } catch (const Failure&) {  // of what is damaged, most likely: the rest is there
    file.sync(target);
    throw;
  }
  file.sync(target);
  return poured;
}

Exit run(const JournalExportArguments& arguments, Settings settings) {
  settings.refuse_formats("journal export",
                          {Format::raw, Format::table, Format::tsv, Format::json});
  settings.output = Format::ndjson;
  const Rendering rendering(settings, {}, "journal export");
  const StoredJournals journals(state_directory_of(arguments.state, settings), settings);
  const StoredJournal journal = journals.find(arguments.queue);
  const Poured poured = export_to(journal, arguments.target, rendering, settings);
  say(settings, fmt::format("exported {}, {}", plural(poured.messages, "message"),
                            plural(poured.bytes, "byte")));
  return Exit::ok;
}

}  // namespace

Verb add_journal_export(CLI::App& root, Settings& settings) {
  CLI::App& app = add_verb(
      root, settings,
      {.name = "export",
       .does = "Write all messages of a queue's journal to a file",
       .text =
           "As envelopes, one a line, which 'send --json' makes the same messages of again:\n"
           "payload, key and headers, but not sequence and time. A file that is there is never\n"
           "overwritten. Exit code 65: something is damaged; all else was written.\n"
           "\n"
           "Examples:\n"
           "  spillring journal export orders --to orders.ndjson\n"
           "  spillring send orders --create --json < orders.ndjson\n"
           "  spillring journal export orders | gzip > orders.ndjson.gz"});
  const auto arguments = std::make_shared<JournalExportArguments>();
  add_queue(app, arguments->queue, "name of the queue, or its id of 16 digits");
  add_text(app, "--to", arguments->target, "FILE", "where to write them ('-', stdout)");
  add_state_directory(app, arguments->state);
  return {&app, [arguments, &settings] { return run(*arguments, settings); }};
}

}  // namespace spillring::tools
