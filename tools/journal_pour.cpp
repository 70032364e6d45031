#include "journal_pour.hpp"

#include <fmt/format.h>

#include "envelope.hpp"
#include "failure.hpp"

namespace spillring::tools {
namespace {

Envelope envelope_of(const journal::Stored& message, std::uint64_t seq, std::string_view queue) {
  return {.queue = queue,
          .seq = seq,
          .timestamp_ns = message.timestamp,
          .key = message.key(),
          .headers = message.headers(),
          .payload = message.payload,
          .deliveries = std::nullopt,
          .ttl = Timeout(message.ttl),
          .is_batch = message.is_batch};
}

class Pouring {
 public:
  Pouring(const StoredJournal& journal, const JournalPour& pour, const Rendering& rendering,
          const Settings& settings)
      : pour_(pour),
        rendering_(rendering),
        settings_(settings),
        label_(journal.label()),
        scan_(journal, pour.from) {}

  Poured pour() {
    while (poured_.messages < pour_.most) {
      const auto run = scan_.next();
      if (run) write(*run);
      say_findings();
      if (!run) break;
    }
    refuse_damage();
    return poured_;
  }

 private:
  void write(const journal::Run& run) {
    for (std::uint64_t s = run.first; s < run.end && poured_.messages < pour_.most; ++s) {
      const auto message = scan_.message(run, s);
      if (!message) continue;
      rendering_.append(envelope_of(*message, s, label_), out_);
      ++poured_.messages;
      poured_.bytes += message->payload.size();
    }
    out_.write_all(pour_.fd, pour_.target);
  }

  void say_findings() {
    for (; said_ < scan_.findings().size(); ++said_) {
      say(settings_, line_of(scan_.findings()[said_]));
    }
  }

  void refuse_damage() const {
    if (!scan_.damaged()) return;
    throw Failure(
        Exit::bad_data, fmt::format("the journal of queue '{}' is damaged", label_),
        scan_.lost() == 0 ? std::string("how many numbers are lost is not known")
                          : fmt::format("{} can be read no more", plural(scan_.lost(), "number")),
        fmt::format("spillring journal verify {} says which; all others were written", label_));
  }

  const JournalPour& pour_;
  const Rendering& rendering_;
  const Settings& settings_;
  std::string label_;
  JournalScan scan_;
  Gather out_;
  Poured poured_;
  std::size_t said_ = 0;
};

}  // namespace

Poured pour_journal(const StoredJournal& journal, const JournalPour& pour,
                    const Rendering& rendering, const Settings& settings) {
  return Pouring(journal, pour, rendering, settings).pour();
}

}  // namespace spillring::tools
