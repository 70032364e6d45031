#include "journal/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "layout/last_sequence.hpp"

namespace spillring::journal {

namespace {

/// The hexadecimal number that the text begins with; nullopt: it begins with none.
std::optional<std::uint64_t> leading_number(const std::string& text) {
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return error == std::errc{} ? std::optional(number) : std::nullopt;
}

}  // namespace

std::string lock_of(const std::string& state) { return state + "/lock"; }
std::string catalogue_of(const std::string& state) { return state + "/catalogue"; }
std::string journals_of(const std::string& state) { return state + "/journal"; }

std::string folder_name(std::uint64_t queue_id) { return fmt::format("{:016x}", queue_id); }

std::optional<std::uint64_t> queue_of(const std::string& folder) {
  const auto id = leading_number(folder);
  return id && folder_name(*id) == folder ? id : std::nullopt;
}

std::string segment_name(std::uint64_t first) { return fmt::format("{:016x}.segment", first); }

std::uint64_t first_of(const std::string& name) {
  const auto first = leading_number(name);
  if (!first || *first > layout::last_sequence) return 0;
  return segment_name(*first) == name ? *first : 0;
}

std::vector<Place> places_of(const std::vector<std::string>& names) {
  std::vector<Place> places;
  for (const std::string& name : names) {
    if (const std::uint64_t first = first_of(name); first != 0) places.push_back({first, 0});
  }
  std::sort(places.begin(), places.end(),
            [](const Place& left, const Place& right) { return left.first < right.first; });
  for (std::size_t i = 1; i < places.size(); ++i) places[i - 1].until = places[i].first;
  return places;
}

}  // namespace spillring::journal
