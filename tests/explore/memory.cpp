#include "memory.hpp"

#include <emmintrin.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace explore {

namespace {

constexpr std::size_t most_messages = 1 << 14;
constexpr std::size_t line_size = 64;

bool acquires(std::memory_order order) noexcept {
  return order == std::memory_order_acquire || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}
bool releases(std::memory_order order) noexcept {
  return order == std::memory_order_release || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

}  // namespace

void View::clear(unsigned places) noexcept { std::fill_n(at.begin(), (places + 7) & ~7U, 0); }

void View::join(const View& other, unsigned places) noexcept {
  // Stamps stay below 2^15, so that signed maxima are theirs.
  auto* to = reinterpret_cast<__m128i*>(at.data());
  const auto* from = reinterpret_cast<const __m128i*>(other.at.data());
  for (unsigned i = 0; i < (places + 7) / 8; ++i) {
    to[i] = _mm_max_epi16(to[i], from[i]);
  }
}

Memory::Memory(std::byte* base, std::size_t size)
    : base_(base), size_(size), index_(size / 4), pool_(most_messages) {
  words_.reserve(most_places);
  units_.reserve(most_places);
  sc_.clear(most_places);
}

void Memory::clear() {
  std::fill(index_.begin(), index_.end(), 0);
  words_.clear();
  units_.clear();
  aliases_.clear();
  places_ = most_roles;
  remembers_ = false;
}

std::uint64_t Memory::peek(const void* at, unsigned size) noexcept {
  if (size == 4) {
    std::uint32_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

void Memory::poke(void* at, unsigned size, std::uint64_t value) noexcept {
  if (remembers_) found_or_made(at, size);
  std::memcpy(at, &value, size);
}

Memory::Word* Memory::find(const void* at) const noexcept {
  const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(at) - base_);
  if (offset >= size_) std::abort();  // a shared word outside of shared memory
  const std::uint16_t index = index_[offset / 4];
  return index == 0 ? nullptr : const_cast<Word*>(&words_[index - 1U]);
}

std::uint16_t Memory::new_place() noexcept {
  if (places_ == most_places) {
    exhausted_ = true;
    return most_places - 1;
  }
  return static_cast<std::uint16_t>(places_++);
}

Memory::Message& Memory::new_message() noexcept {
  if (used_ == most_messages) {
    exhausted_ = true;
    used_ = most_messages / 2;
  }
  return pool_[used_++];
}

void Memory::begin(Word& word) noexcept {
  word.newest = used_;
  Message& first = new_message();
  first.value = word.initial;
  first.before = word.newest;
  first.stamp = 0;
  first.view.clear(most_places);
}

Memory::Word& Memory::found_or_made(void* at, unsigned size) noexcept {
  if (Word* const known = find(at); known != nullptr) return *known;
  words_.push_back({at, size, peek(at, size), new_place(), 0});
  index_[static_cast<std::size_t>(static_cast<std::byte*>(at) - base_) / 4] =
      static_cast<std::uint16_t>(words_.size());
  begin(words_.back());
  return words_.back();
}

void Memory::begin() noexcept {
  used_ = 0;
  fences_ = 0;
  exhausted_ = false;
  sc_.clear(most_places);
  for (Word& word : words_) {
    std::memcpy(word.at, &word.initial, word.size);
    begin(word);
  }
  for (Unit& unit : units_) {
    unit.stamp = 0;
    unit.tag = unit.initial;
    unit.reads = {};
  }
}

unsigned Memory::older(const Knowledge& who, const void* at,
                       std::memory_order order) const noexcept {
  const Word* const word = find(at);
  if (word == nullptr) return 0;
  std::uint16_t oldest = who.now.at[word->place];
  if (order == std::memory_order_seq_cst) oldest = std::max(oldest, sc_.at[word->place]);
  return static_cast<unsigned>(pool_[word->newest].stamp - oldest);
}

std::uint64_t Memory::read(Knowledge& who, const void* at, unsigned size, std::memory_order order,
                           unsigned back, std::uint16_t& stamp) noexcept {
  const Word* const word = find(at);
  stamp = 0;
  if (word == nullptr) return peek(at, size);  // nobody has ever written to it
  const Message* message = &pool_[word->newest];
  for (; back != 0; --back) message = &pool_[message->before];
  stamp = message->stamp;
  auto& seen = who.now.at[word->place];
  seen = std::max(seen, stamp);
  if (acquires(order)) {
    who.now.join(message->view, places_);
  } else {
    who.pending.join(message->view, places_);
  }
  return message->value;
}

std::uint16_t Memory::write(Knowledge& who, void* at, unsigned size, std::uint64_t value,
                            std::memory_order order, bool of_rmw) noexcept {
  Word& word = found_or_made(at, size);
  const Message& before = pool_[word.newest];
  const std::uint32_t number = used_;
  Message& message = new_message();
  message.value = value;
  message.before = word.newest;
  message.stamp = static_cast<std::uint16_t>(before.stamp + 1);
  word.newest = number;
  who.now.at[word.place] = message.stamp;
  message.view = releases(order) ? who.now : who.released;
  message.view.at[word.place] = message.stamp;
  if (of_rmw) message.view.join(before.view, places_);
  if (order == std::memory_order_seq_cst) sc_.at[word.place] = message.stamp;
  std::memcpy(at, &value, size);
  return message.stamp;
}

void Memory::fence(Knowledge& who, std::memory_order order) noexcept {
  if (acquires(order)) who.now.join(who.pending, places_);
  if (order == std::memory_order_seq_cst) {
    who.now.join(sc_, places_);
    sc_ = who.now;
  }
  if (releases(order)) who.released = who.now;
}

void Memory::alias(const std::byte* begin, std::size_t size) noexcept {
  aliases_.push_back({begin, size});
}

std::uintptr_t Memory::line_of(const std::byte* at) const noexcept {
  for (const Alias& alias : aliases_) {
    if (at >= alias.begin + alias.size && at < alias.begin + 2 * alias.size) at -= alias.size;
  }
  return reinterpret_cast<std::uintptr_t>(at) / line_size;
}

Memory::Unit& Memory::unit(std::uintptr_t line) noexcept {
  const auto known = std::find_if(units_.begin(), units_.end(),
                                  [&](const Unit& unit) { return unit.line == line; });
  if (known != units_.end()) return *known;
  units_.push_back({line, new_place(), 0, 0, 0, {}});
  return units_.back();
}

bool Memory::plain_write(Knowledge& who, unsigned role, const std::byte* at, std::size_t size,
                         std::uint64_t tag) noexcept {
  for (std::size_t done = 0; done < size; done += line_size) {
    Unit& written = unit(line_of(at + done));
    if (who.now.at[written.place] != written.stamp) return false;
    for (unsigned other = 0; other < most_roles; ++other) {
      if (other != role && written.reads[other] > who.now.at[other]) return false;
    }
    who.now.at[written.place] = ++written.stamp;
    written.tag = tag;
  }
  return true;
}

bool Memory::plain_read(Knowledge& who, unsigned role, const std::byte* at, std::size_t size,
                        std::uint64_t& tag) noexcept {
  const std::uint16_t clock = ++who.now.at[role];
  for (std::size_t done = 0; done < size; done += line_size) {
    Unit& seen = unit(line_of(at + done));
    if (who.now.at[seen.place] != seen.stamp) return false;
    seen.reads[role] = clock;
    tag = seen.tag;
  }
  return true;
}

void Memory::plain_poke(const std::byte* at, std::size_t size, std::uint64_t tag) noexcept {
  for (std::size_t done = 0; done < size; done += line_size) {
    unit(line_of(at + done)).initial = tag;
  }
}

std::uint64_t Memory::plain_peek(const std::byte* at) noexcept { return unit(line_of(at)).initial; }

}  // namespace explore
