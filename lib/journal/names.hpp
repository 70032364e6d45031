// What is called what in a state directory, for the supervisor and for who looks without one:
//
//   STATE/lock
//   STATE/catalogue
//   STATE/journal/<queue id, 16 hex digits>/<first sequence, 16 hex digits>.segment
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace spillring::journal {

/// In the state directory `state`.
[[nodiscard]] std::string lock_of(const std::string& state);
[[nodiscard]] std::string catalogue_of(const std::string& state);
[[nodiscard]] std::string journals_of(const std::string& state);

/// The directory of a queue's journal, within that of all journals.
[[nodiscard]] std::string folder_name(std::uint64_t queue_id);
/// The queue whose directory has this name; nullopt: it is no queue's.
[[nodiscard]] std::optional<std::uint64_t> queue_of(const std::string& folder);

/// What a segment is called: its first sequence, so that names sort as sequences do.
[[nodiscard]] std::string segment_name(std::uint64_t first);
/// The first sequence of the segment that has this name; 0: it is no segment's name.
[[nodiscard]] std::uint64_t first_of(const std::string& name);

/// A segment's place among those of its journal.
struct Place {
  std::uint64_t first = 0;
  /// A number is looked for in the last segment whose first is not greater, and in no other: here,
  /// below this one. 0: this is the last segment.
  std::uint64_t until = 0;
};
/// The segments among these names, in their order.
[[nodiscard]] std::vector<Place> places_of(const std::vector<std::string>& names);

}  // namespace spillring::journal
