// The journals of a state directory, as they lie there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalogue.hpp"
#include "journal/names.hpp"
#include "journal/segment_walk.hpp"
#include "journal/storage.hpp"
#include "settings.hpp"

namespace spillring::tools {

class StoredJournal {
 public:
  /// `known`: what the catalogue says of its queue; nullptr: nothing.
  /// `oldest`: the first number that a segment was for before the catalogue was read, while a
  /// supervisor runs; nullopt: none does.
  StoredJournal(const std::string& state, std::uint64_t id, const CataloguedQueue* known,
                std::optional<std::uint64_t> oldest);

  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  /// The id as the directory has it.
  [[nodiscard]] std::string folder() const { return journal::folder_name(id_); }
  /// Empty: the catalogue does not know the queue.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// The name, else the id.
  [[nodiscard]] std::string label() const { return name_.empty() ? folder() : name_; }
  [[nodiscard]] const std::string& directory() const noexcept { return directory_; }
  [[nodiscard]] std::string path_of(const std::string& file) const;
  /// Bytes of a file; 0 where it has gone.
  [[nodiscard]] std::uint64_t size_of(const std::string& file) const;

  /// Its segments in their order, and which numbers are looked for in each.
  [[nodiscard]] const std::vector<journal::Place>& places() const noexcept { return places_; }
  /// All names that are a segment's, those too in which no number is looked for.
  [[nodiscard]] std::vector<std::string> segment_files() const;
  /// Names that are no segment's.
  [[nodiscard]] const std::vector<std::string>& others() const noexcept { return others_; }
  [[nodiscard]] bool empty() const noexcept { return places_.empty() && others_.empty(); }

  [[nodiscard]] journal::SegmentWalk walk(const journal::Place& place,
                                          std::uint64_t from = 0) const;
  /// Numbers that were saved, and that no segment is there for; nullopt: there are none.
  [[nodiscard]] std::optional<journal::Run> missing() const;

  /// As it will be without these files.
  [[nodiscard]] StoredJournal without(const std::vector<std::string>& files) const;

 private:
  void arrange(const std::vector<std::string>& names);

  std::uint64_t id_;
  std::string name_;
  std::string directory_;
  // What a clean stop saved, all of it, and somebody needs: from, until. 0, 0: it is not known.
  std::uint64_t saved_from_ = 0;
  std::uint64_t saved_until_ = 0;
  // Likewise where it did not end well, or runs: the journal goes as far as this, at least.
  std::uint64_t needed_from_ = 0;
  std::uint64_t counted_ = 0;
  std::uint64_t oldest_ = 0;
  bool may_be_torn_ = false;  // the catalogue knows that it was not saved
  std::vector<std::string> names_;
  std::vector<journal::Place> places_;
  std::vector<std::string> others_;
};

class StoredJournals {
 public:
  /// Those in the state directory. Says on stderr where the catalogue cannot be read.
  StoredJournals(std::string state, const Settings& settings);
  /// `running`: whether a supervisor has it. Who has its lock cannot ask.
  StoredJournals(std::string state, const Settings& settings, bool running);

  /// Those of which there is any file, by name; those without one come last, by id.
  [[nodiscard]] std::vector<StoredJournal> all() const;
  /// That of the queue with this name, or this id of 16 digits. Throws `Failure`: there is none.
  [[nodiscard]] StoredJournal find(const std::string& queue) const;
  [[nodiscard]] const std::string& state() const noexcept { return state_; }

 private:
  [[nodiscard]] const CataloguedQueue* known(std::uint64_t id) const;
  [[nodiscard]] StoredJournal journal_of(std::uint64_t id, const CataloguedQueue* known) const;
  [[nodiscard]] std::vector<std::uint64_t> ids() const;
  [[nodiscard]] std::map<std::uint64_t, std::uint64_t> oldest_of_all() const;

  std::string state_;
  bool running_;  // a supervisor has it
  // Before the catalogue: a file that is dropped meanwhile is not missed.
  std::map<std::uint64_t, std::uint64_t> oldest_;
  Catalogue catalogue_;
};

}  // namespace spillring::tools
