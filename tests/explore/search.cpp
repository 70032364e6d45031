#include "search.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "heap.hpp"

namespace explore {

namespace {

/// A set of hashes.
class Known {
 public:
  Known() : slots_(std::size_t{1} << 16) {}
  /// False: it was there.
  bool insert(std::uint64_t hash) {
    hash += hash == 0 ? 1 : 0;
    if (2 * size_ >= slots_.size()) grow();
    std::uint64_t& slot = slot_of(hash);
    if (slot == hash) return false;
    slot = hash;
    ++size_;
    return true;
  }
  void clear() {
    std::fill(slots_.begin(), slots_.end(), 0);
    size_ = 0;
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  std::uint64_t& slot_of(std::uint64_t hash) noexcept {
    std::size_t at = (hash ^ (hash >> 31)) & (slots_.size() - 1);
    while (slots_[at] != 0 && slots_[at] != hash) at = (at + 1) & (slots_.size() - 1);
    return slots_[at];
  }
  void grow() {
    std::vector<std::uint64_t> old(slots_.size() * 2);
    old.swap(slots_);
    for (const std::uint64_t hash : old) {
      if (hash != 0) slot_of(hash) = hash;
    }
  }
  std::vector<std::uint64_t> slots_;
  std::size_t size_ = 0;
};

/// Depth first: each execution takes the other way at the last choice that has one left.
class InOrder final : public Chooser {
 public:
  explicit InOrder(const Bounds& bounds) : bounds_(bounds), left_(bounds) {}

  void begin() {
    depth_ = 0;
    left_ = bounds_;
  }
  /// To the next execution; false: there is none.
  bool advance() {
    while (!choices_.empty() && choices_.back().taken + 1 == choices_.back().options) {
      choices_.pop_back();
    }
    if (choices_.empty()) return false;
    ++choices_.back().taken;
    return true;
  }
  void start_over() {
    choices_.clear();
    known_.clear();
  }
  [[nodiscard]] std::size_t states() const noexcept { return known_.size(); }

  [[nodiscard]] bool may(Deviation deviation) const noexcept override {
    return const_cast<InOrder*>(this)->left_of(deviation) != 0;
  }
  unsigned pick(std::span<const Option> options, std::uint64_t state) override {
    if (depth_ == choices_.size()) {
      if (!known_.insert(hash(state))) return give_up;
      choices_.push_back({static_cast<unsigned>(options.size()), 0});
    }
    const unsigned taken = choices_[depth_++].taken;
    const Deviation deviation = options[taken].deviation;
    if (deviation != Deviation::none) --left_of(deviation);
    return taken;
  }

 private:
  unsigned& left_of(Deviation deviation) noexcept {
    switch (deviation) {
      case Deviation::preempt:
        return left_.preempt;
      case Deviation::stale:
        return left_.stale;
      case Deviation::die:
        return left_.die;
      default:
        return left_.time_out;
    }
  }
  [[nodiscard]] std::uint64_t hash(std::uint64_t state) const noexcept {
    const std::uint64_t left = left_.preempt | (left_.stale << 8) | (left_.die << 16) |
                               (std::uint64_t{left_.time_out} << 24);
    return (state ^ (left * 0x9E3779B97F4A7C15)) * 0xBF58476D1CE4E5B9;
  }
  struct Choice {
    unsigned options;
    unsigned taken;
  };
  Bounds bounds_;
  Bounds left_;
  std::vector<Choice> choices_;
  std::size_t depth_ = 0;
  Known known_;
};

class Random final : public Chooser {
 public:
  /// `mortal`: how often somebody may die; `steps`: of an execution, as a rule.
  Random(const Bounds& bounds, unsigned steps) : bounds_(bounds), steps_(std::max(steps, 16U)) {}

  void begin(std::uint64_t seed) {
    state_ = seed * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019;
    for (auto& priority : priorities_) priority = 1000 + static_cast<int>(next() % 1000);
    deaths_ = bounds_.die;
    time_outs_ = bounds_.time_out;
    lowest_ = 999;
    at_ = 0;
    // From hardly ever to all the time.
    changes_ = 1 + static_cast<unsigned>(next() % 8);
    one_in_stale_ = bounds_.stale == 0 ? 0 : 2U << (next() % 6);
    death_at_ = next() % (2 * std::uint64_t{steps_});
  }

  [[nodiscard]] bool may(Deviation deviation) const noexcept override {
    switch (deviation) {
      case Deviation::stale:
        return one_in_stale_ != 0;
      case Deviation::die:
        return deaths_ != 0;
      case Deviation::time_out:
        return time_outs_ != 0;
      default:
        return true;
    }
  }

  unsigned pick(std::span<const Option> options, std::uint64_t /*state*/) override {
    if (options[1].deviation == Deviation::stale) {
      if (next() % one_in_stale_ != 0) return 0;
      return 1 + static_cast<unsigned>(next() % (options.size() - 1));
    }
    ++at_;
    if (next() % steps_ < changes_) priorities_[options[0].role] = lowest_--;
    unsigned best = 0;
    for (unsigned i = 0; i < options.size(); ++i) {
      const Option& option = options[i];
      if (option.deviation == Deviation::die) {
        if (at_ < death_at_) continue;
        --deaths_;
        death_at_ = at_ + next() % steps_;
        return i;
      }
      if (option.deviation == Deviation::time_out) {
        if (next() % steps_ != 0) continue;
        --time_outs_;
        return i;
      }
      if (priorities_[option.role] > priorities_[options[best].role]) best = i;
    }
    return best;
  }

 private:
  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  Bounds bounds_;
  unsigned steps_;
  std::uint64_t state_ = 0;
  std::array<int, most_roles> priorities_{};
  unsigned deaths_ = 0;
  unsigned time_outs_ = 0;
  unsigned changes_ = 0;
  unsigned one_in_stale_ = 0;
  std::uint64_t death_at_ = 0;
  std::uint64_t at_ = 0;
  int lowest_ = 0;
};

}  // namespace

Found search(const Scenario& scenario, std::uint64_t most, unsigned share, std::uint64_t seed) {
  Machine& m = machine();
  m.clear();
  {
    const heap::Scope inside(true);
    scenario.build(m);
  }
  m.built();
  Found found;
  // Repeats the execution that just failed, with its events written down.
  const auto failed = [&](Chooser& chooser, const auto& begin, std::string how) {
    found.violation = m.violation();
    found.how = std::move(how);
    m.unlearn();
    begin();
    m.execute(chooser, true);
    found.trace = m.trace();
  };

  InOrder in_order(scenario.bounds);
  const std::uint64_t ordered = most - most * share / 100;
  std::uint64_t tried = 0;
  while (found.ended < ordered && tried < 8 * most) {
    ++tried;
    in_order.begin();
    const Machine::Outcome outcome = m.execute(in_order, false);
    found.longest = std::max(found.longest, m.steps());
    if (outcome == Machine::Outcome::violation) {
      failed(
          in_order, [&] { in_order.begin(); }, fmt::format("execution {} in order", tried));
      return found;
    }
    (outcome == Machine::Outcome::ended ? found.ended : found.given_up) += 1;
    found.states = std::max(found.states, in_order.states());
    if (m.learned()) {
      in_order.start_over();
    } else if (!in_order.advance()) {
      found.all = true;
      break;
    }
  }

  Random random(scenario.bounds, found.longest / 2);
  for (std::uint64_t number = 1; found.ended < most; ++number) {
    random.begin(seed + number);
    const Machine::Outcome outcome = m.execute(random, false);
    found.longest = std::max(found.longest, m.steps());
    if (outcome == Machine::Outcome::violation) {
      failed(
          random, [&] { random.begin(seed + number); },
          fmt::format("random execution {} of seed {}", number, seed));
      return found;
    }
    ++found.ended;
    ++found.random;
  }
  return found;
}

}  // namespace explore
