// Names: of queues, of the journal's files and directories, and what may have been meant by one.
#include "journal/names.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "layout/last_sequence.hpp"
#include "layout/text.hpp"
#include "spillring/client.hpp"
#include "target.hpp"
#include "text/misspelling.hpp"

namespace spillring::fuzz {
namespace {

void look_at(const std::string& name) {
  if (const auto id = journal::queue_of(name)) {
    require(journal::folder_name(*id) == name, "a queue's directory has one name");
  }
  if (const std::uint64_t first = journal::first_of(name); first != 0) {
    require(journal::segment_name(first) == name, "a segment has one name");
    require(first <= layout::last_sequence, "a segment begins with a number that can be");
  }
  if (valid_name(name)) {
    require(!name.empty() && name.size() <= max_name, "a queue's name has 1 to 120 bytes");
    require(name.front() != '.' && name.find('/') == std::string::npos, "it is no path");
    require(std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f; }),
            "it can be shown on a terminal");
  }
  layout::Text<layout::name_size> text{};
  text.set(name);
  const std::string_view kept = text.view();
  require(kept.size() <= layout::name_size && name.starts_with(kept), "text keeps its beginning");
  if (valid_name(name)) require(kept == name, "a name fits");
}

void list(const std::vector<std::string>& names) {
  const std::vector<journal::Place> places = journal::places_of(names);
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    require(places[i].first > before, "segments are listed in their order");
    before = places[i].first;
    const bool last = i + 1 == places.size();
    require(places[i].until == (last ? 0 : places[i + 1].first), "one ends where the next begins");
  }
}

}  // namespace

void names(Bytes input) {
  const std::string all = text_of(input);
  std::set<std::string> found;  // as in a directory, each is there once
  for (std::size_t at = 0; at <= all.size() && found.size() < 32;) {
    const std::size_t end = std::min(all.find('\n', at), all.size());
    found.insert(all.substr(at, end - at));
    at = end + 1;
  }
  for (const std::string& name : found) look_at(name);
  const std::vector<std::string> listed(found.begin(), found.end());
  list(listed);
  const std::string word = listed.back().substr(0, 64);
  if (const auto near = text::nearest(word, listed)) {
    require(found.contains(*near), "what may have been meant is there");
  }
}

}  // namespace spillring::fuzz
