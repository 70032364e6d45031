#include "stored_journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <tuple>

#include "failure.hpp"
#include "journal/state_lock.hpp"
#include "output.hpp"
#include "text/misspelling.hpp"

namespace spillring::tools {

StoredJournal::StoredJournal(const std::string& state, std::uint64_t id,
                             const CataloguedQueue* known, std::optional<std::uint64_t> oldest)
    : id_(id), directory_(journal::journals_of(state) + "/" + journal::folder_name(id)) {
  if (known != nullptr) {
    name_ = known->name;
    may_be_torn_ = !known->complete;
    if (known->complete && known->needed < known->next) {
      saved_from_ = known->needed;
      saved_until_ = known->next;
    }
    if (!known->complete && known->follows) counted_ = known->next;
    needed_from_ = known->needed;
  }
  arrange(journal::Disk().list(directory_));
  const bool any = !places_.empty();
  oldest_ = std::min(oldest.value_or(UINT64_MAX), any ? places_.front().first : UINT64_MAX);
  // While none runs, a power cut may have undone that groups went on, and not the removal of what
  // they were past, but for a durable queue. And the last file is never removed.
  const bool is_known = oldest || (known != nullptr && known->durable);
  if (any && !is_known) needed_from_ = counted_;
}

void StoredJournal::arrange(const std::vector<std::string>& names) {
  names_ = names;
  places_ = journal::places_of(names);
  others_.clear();
  std::copy_if(names.begin(), names.end(), std::back_inserter(others_),
               [](const std::string& name) { return journal::first_of(name) == 0; });
  std::sort(others_.begin(), others_.end());
  if (saved_until_ == 0) return;
  // What is behind that was begun and never counted.
  std::erase_if(places_, [this](const auto& place) { return place.first >= saved_until_; });
  if (!places_.empty()) places_.back().until = saved_until_;
}

std::vector<std::string> StoredJournal::segment_files() const {
  std::vector<std::string> files;
  for (const auto& place : journal::places_of(names_)) {
    files.push_back(journal::segment_name(place.first));
  }
  return files;
}

std::string StoredJournal::path_of(const std::string& file) const {
  return directory_ + "/" + file;
}

std::uint64_t StoredJournal::size_of(const std::string& file) const {
  std::error_code error;
  const auto size = std::filesystem::file_size(path_of(file), error);
  return error ? 0 : size;
}

journal::SegmentWalk StoredJournal::walk(const journal::Place& place, std::uint64_t from) const {
  journal::Disk disk;
  return {disk,
          path_of(journal::segment_name(place.first)),
          {id_, place, from, may_be_torn_, counted_}};
}

std::optional<journal::Run> StoredJournal::missing() const {
  const bool saved = saved_until_ != 0;
  const std::uint64_t from = saved ? saved_from_ : needed_from_;
  const std::uint64_t until = saved ? saved_until_ : counted_;
  const std::uint64_t oldest = saved && !places_.empty() ? places_.front().first : oldest_;
  const std::uint64_t begin = std::min(oldest, until);
  if (begin <= from) return std::nullopt;
  return journal::Run{from, begin, nullptr, "they were saved, and no segment has them", false};
}

StoredJournal StoredJournal::without(const std::vector<std::string>& files) const {
  StoredJournal rest = *this;
  std::vector<std::string> names = names_;
  std::erase_if(names, [&](const std::string& name) {
    return std::find(files.begin(), files.end(), name) != files.end();
  });
  rest.arrange(names);
  return rest;
}

StoredJournals::StoredJournals(std::string state, const Settings& settings)
    : StoredJournals(state, settings, journal::is_locked(state)) {}

StoredJournals::StoredJournals(std::string state, const Settings& settings, bool running)
    : state_(std::move(state)),
      running_(running),
      oldest_(oldest_of_all()),
      catalogue_(read_catalogue(journal::catalogue_of(state_))) {
  if (catalogue_.problem.empty()) return;
  say(settings, catalogue_.problem + "; queues that it does not name are called by their ids");
}

const CataloguedQueue* StoredJournals::known(std::uint64_t id) const {
  const auto found = std::find_if(catalogue_.queues.begin(), catalogue_.queues.end(),
                                  [id](const CataloguedQueue& queue) { return queue.id == id; });
  return found == catalogue_.queues.end() ? nullptr : &*found;
}

StoredJournal StoredJournals::journal_of(std::uint64_t id, const CataloguedQueue* known) const {
  const auto oldest = oldest_.find(id);
  if (!running_) return {state_, id, known, std::nullopt};
  return {state_, id, known, oldest == oldest_.end() ? UINT64_MAX : oldest->second};
}

std::map<std::uint64_t, std::uint64_t> StoredJournals::oldest_of_all() const {
  std::map<std::uint64_t, std::uint64_t> all;
  for (const std::uint64_t id : ids()) {
    const std::string directory = journal::journals_of(state_) + "/" + journal::folder_name(id);
    const auto places = journal::places_of(journal::Disk().list(directory));
    if (!places.empty()) all.emplace(id, places.front().first);
  }
  return all;
}

/// Of the queues that have a directory.
std::vector<std::uint64_t> StoredJournals::ids() const {
  std::vector<std::uint64_t> ids;
  for (const std::string& name : journal::Disk().list(journal::journals_of(state_))) {
    if (const auto id = journal::queue_of(name)) ids.push_back(*id);
  }
  return ids;
}

std::vector<StoredJournal> StoredJournals::all() const {
  std::vector<StoredJournal> journals;
  for (const std::uint64_t id : ids()) journals.push_back(journal_of(id, known(id)));
  std::erase_if(journals, [](const StoredJournal& each) { return each.empty(); });
  const auto key = [](const StoredJournal& each) {
    return std::tuple(each.name().empty(), each.name(), each.id());
  };
  std::sort(journals.begin(), journals.end(),
            [&](const auto& left, const auto& right) { return key(left) < key(right); });
  return journals;
}

StoredJournal StoredJournals::find(const std::string& queue) const {
  std::vector<std::string> names;
  for (const CataloguedQueue& each : catalogue_.queues) {
    if (each.name == queue) return journal_of(each.id, &each);
    names.push_back(each.name);
  }
  const std::vector<std::uint64_t> there = ids();
  const auto id = journal::queue_of(queue);
  if (id && std::find(there.begin(), there.end(), *id) != there.end()) {
    return journal_of(*id, known(*id));
  }
  const auto near = text::nearest(queue, names);
  throw Failure(
      Exit::unavailable, fmt::format("there is no queue '{}' in '{}'", queue, state_),
      catalogue_.problem.empty()
          ? fmt::format("its catalogue has {}",
                        names.empty() ? "none" : plural(names.size(), "other"))
          : fmt::format("names are not known: {}", catalogue_.problem),
      near ? fmt::format("did you mean '{}'?", *near)
           : fmt::format("spillring journal ls --state-dir {} shows what there is", state_));
}

}  // namespace spillring::tools
