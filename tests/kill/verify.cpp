// Holds the ledgers of a storm against each other: `storm_verify DIRECTORY`. Prints JSON: figures,
// the number of faults of each kind, and which kinds were found when they were put in on purpose.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ledger.hpp"

namespace {

using ledger::Kind;
using ledger::Record;
using Records = std::vector<Record>;

struct Ledgers {
  std::map<std::uint32_t, Records> producers;  // by number
  std::vector<Records> consumers;
  Records stream;
};

/// What must not happen. The names are those of the JSON.
enum Fault : std::size_t {
  lost_group,
  lost_stream,
  damaged,
  ghost,
  twice_stream,
  order_stream,
  order_group,
  unflagged,
  acked_twice,
  never_acked,
  refused,
  faults
};
constexpr std::array<const char*, faults> fault_names = {
    "lost_group",  "lost_stream", "damaged",     "ghost",       "twice_stream", "order_stream",
    "order_group", "unflagged",   "acked_twice", "never_acked", "refused"};

struct Findings {
  std::array<std::uint64_t, faults> count{};
  std::uint64_t published = 0, received = 0, streamed = 0, redelivered = 0, stale = 0,
                cancelled = 0;
  std::uint64_t doubtful_seen = 0, doubtful_sends = 0, doubtful_acks = 0;
};

/// What is known of one sequence.
struct Fate {
  std::uint32_t producer = 0;  // 0: not a message
  std::uint32_t received = 0;
  std::uint32_t streamed = 0;
  std::uint32_t acked = 0;
  std::uint64_t counter = 0;
  std::uint64_t delivery_numbers = 0;  // bits; above 63 not looked at
  bool ack_in_doubt = false;
};

bool ended(const Records& records) { return !records.empty() && records.back().kind == Kind::end; }

class Verifier {
 public:
  explicit Verifier(const Ledgers& ledgers) : ledgers_(ledgers) {}

  Findings run() {
    for (const auto& [number, records] : ledgers_.producers) read_producer(number, records);
    for (const auto& records : ledgers_.consumers) read_consumer(records);
    read_stream();
    for (const auto& fate : fates_) judge(fate);
    return found_;
  }

 private:
  void fault(Fault kind) { ++found_.count[kind]; }

  Fate& fate(std::uint64_t seq) {
    if (seq >= fates_.size()) fates_.resize(std::max<std::size_t>(seq + 1, fates_.size() * 2));
    return fates_[seq];
  }

  void read_producer(std::uint32_t number, const Records& records) {
    auto& results = results_[number];
    for (const auto& record : records) {
      if (record.kind == Kind::end) continue;
      results.push_back(record);
      found_.stale += record.kind == Kind::stale;
      found_.cancelled += record.kind == Kind::cancelled;
      if (record.kind != Kind::sent) continue;
      auto& message = fate(record.seq);
      if (message.producer != 0) fault(ghost);  // two messages with one number
      message.producer = number;
      message.counter = record.counter;
    }
    found_.doubtful_sends += !ended(records);
  }

  /// A message that somebody saw: it must be one that was sent, or may have been.
  Fate& seen(const Record& record) {
    auto& message = fate(record.seq);
    if (message.producer == 0 && in_doubt(record)) {  // sent after all, so nobody may miss it
      message.producer = record.producer;
      message.counter = record.counter;
      ++found_.doubtful_seen;
    }
    if (message.producer != record.producer || message.counter != record.counter) fault(ghost);
    return message;
  }

  /// True for the number after the last result of a killed producer.
  bool in_doubt(const Record& record) const {
    const auto results = results_.find(record.producer);
    return results != results_.end() && !ended(ledgers_.producers.at(record.producer)) &&
           record.counter == results->second.size() + 1;
  }

  void read_consumer(const Records& records) {
    std::map<std::uint64_t, bool> trying;
    for (const auto& record : records) {
      if (record.kind == Kind::damaged) fault(damaged);
      if (record.kind == Kind::refused) fault(refused);
      if (record.kind == Kind::got) {
        auto& message = seen(record);
        ++message.received;
        ++found_.received;
        found_.redelivered += record.deliveries > 1;
        // Each delivery of a message has a number of its own, and only one of them is the first.
        const std::uint64_t bit =
            record.deliveries < 64 ? std::uint64_t{1} << record.deliveries : 0;
        if ((message.delivery_numbers & bit) != 0) fault(unflagged);
        message.delivery_numbers |= bit;
      }
      if (record.kind == Kind::trying) trying[record.seq] = true;
      if (record.kind == Kind::acked) ++fate(record.seq).acked;
      if (record.kind == Kind::acked || record.kind == Kind::refused) trying.erase(record.seq);
    }
    for (const auto& [seq, unknown] : trying) fate(seq).ack_in_doubt = unknown;
    found_.doubtful_acks += trying.size();
  }

  void read_stream() {
    std::uint64_t last_seq = 0;
    std::map<std::uint32_t, std::uint64_t> last_counter;
    for (const auto& record : ledgers_.stream) {
      if (record.kind == Kind::damaged) fault(damaged);
      if (record.kind != Kind::got) continue;
      ++seen(record).streamed;
      ++found_.streamed;
      if (record.seq <= last_seq || record.counter <= last_counter[record.producer])
        fault(order_stream);
      last_seq = record.seq;
      last_counter[record.producer] = record.counter;
    }
  }

  /// In the order of the sequences.
  void judge(const Fate& message) {
    if (message.producer == 0) return;
    ++found_.published;
    if (message.received == 0) fault(lost_group);
    if (message.streamed == 0) fault(lost_stream);
    if (message.streamed > 1) fault(twice_stream);
    if (message.acked > 1) fault(acked_twice);
    if (message.acked == 0 && !message.ack_in_doubt) fault(never_acked);
    auto& last = last_counter_[message.producer];
    if (message.counter <= last) fault(order_group);
    last = message.counter;
  }

  const Ledgers& ledgers_;
  std::map<std::uint32_t, Records> results_;  // of each producer; result i is that of number i + 1
  std::vector<Fate> fates_;                   // by sequence
  std::map<std::uint32_t, std::uint64_t> last_counter_;
  Findings found_;
};

Ledgers load(const std::filesystem::path& directory) {
  Ledgers ledgers;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ".ledger") continue;
    const std::string name = entry.path().stem();  // "producer-12"
    Records records = ledger::load(entry.path());
    if (name.starts_with("producer-")) {
      ledgers.producers[static_cast<std::uint32_t>(std::stoul(name.substr(9)))] =
          std::move(records);
    } else if (name.starts_with("consumer-")) {
      ledgers.consumers.push_back(std::move(records));
    } else {
      ledgers.stream = std::move(records);
    }
  }
  return ledgers;
}

/// One message in the middle of the storm, as each kind of process saw it, and ways to tamper with
/// it.
class Tampering {
 public:
  explicit Tampering(const Ledgers& ledgers) : ledgers_(ledgers) {
    for (const auto& records : ledgers_.consumers) {
      for (const auto& record : records) {
        if (record.kind == Kind::acked && record.seq > victim_.seq &&
            record.seq <= ledgers.stream.size() / 2) {
          victim_ = record;
        }
      }
    }
  }

  std::uint64_t faults_after(Fault kind) {
    const Ledgers saved = ledgers_;
    put_in(kind);
    const auto count = Verifier(ledgers_).run().count[kind];
    ledgers_ = saved;
    return count;
  }

 private:
  void put_in(Fault kind) {
    switch (kind) {
      case lost_group:
        for_consumers([&](Records& all) { erase(all, [](Kind) { return true; }); });
        break;
      case lost_stream:
        erase(ledgers_.stream, [](Kind) { return true; });
        break;
      case damaged:
        find(ledgers_.stream).kind = Kind::damaged;
        break;
      case ghost:
        find(producer()).kind = Kind::stale;
        break;
      case twice_stream:
        ledgers_.stream.push_back(find(ledgers_.stream));
        break;
      case order_stream:
        std::swap(find(ledgers_.stream), *(&find(ledgers_.stream) + 1));
        break;
      case order_group:
        swap_with_the_next_of_its_producer();
        break;
      case unflagged:
        add(Kind::got);
        break;
      case acked_twice:
        add(Kind::acked);
        break;
      case never_acked:
        for_consumers([&](Records& all) {
          erase(all, [](Kind k) { return k == Kind::trying || k == Kind::acked; });
        });
        break;
      case refused:
        add(Kind::refused);
        break;
      case faults:
        break;
    }
  }

  Records& producer() { return ledgers_.producers.at(victim_.producer); }

  void for_consumers(const std::function<void(Records&)>& change) {
    for (auto& records : ledgers_.consumers) change(records);
  }

  void erase(Records& records, const std::function<bool(Kind)>& which) const {
    std::erase_if(records, [&](const Record& r) { return r.seq == victim_.seq && which(r.kind); });
  }

  Record& find(Records& records) const {
    return *std::find_if(records.begin(), records.end(),
                         [&](const Record& r) { return r.seq == victim_.seq; });
  }

  void add(Kind kind) {
    Record record = victim_;
    record.kind = kind;
    ledgers_.consumers.front().push_back(record);
  }

  void swap_with_the_next_of_its_producer() {
    auto* first = &find(producer());
    auto* second = std::find_if(first + 1, producer().data() + producer().size(),
                                [](const Record& r) { return r.kind == Kind::sent; });
    std::swap(first->seq, second->seq);
  }

  Ledgers ledgers_;
  Record victim_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: storm_verify DIRECTORY\n", stderr);
    return 64;
  }
  const Ledgers ledgers = load(argv[1]);
  const Findings found = Verifier(ledgers).run();
  const auto print = [](const char* name, std::uint64_t value) {
    std::printf("\"%s\": %llu, ", name, static_cast<unsigned long long>(value));
  };
  std::printf("{\"figures\": {");
  print("published", found.published);
  print("received by the group", found.received);
  print("of these redelivered", found.redelivered);
  print("received by the stream", found.streamed);
  print("loans cancelled", found.cancelled);
  print("publishes refused as stale", found.stale);
  print("sends in doubt", found.doubtful_sends);
  print("of these delivered", found.doubtful_seen);
  std::printf("\"acks in doubt\": %llu}, \"faults\": {",
              static_cast<unsigned long long>(found.doubtful_acks));
  Tampering tampering(ledgers);
  std::string separator;
  std::string noticed;
  for (std::size_t kind = 0; kind < faults; ++kind) {
    std::printf("%s\"%s\": %llu", separator.c_str(), fault_names[kind],
                static_cast<unsigned long long>(found.count[kind]));
    const auto count = tampering.faults_after(static_cast<Fault>(kind));
    if (count > found.count[kind])
      noticed += (noticed.empty() ? "\"" : ", \"") + std::string(fault_names[kind]) + "\"";
    separator = ", ";
  }
  std::printf("}, \"noticed\": [%s]}\n", noticed.c_str());
  return 0;
}
