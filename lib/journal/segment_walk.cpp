#include "journal/segment_walk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "spillring/error.hpp"

namespace spillring::journal {

namespace {

/// A number below which all is looked for in this segment.
std::uint64_t bound_of(const Place& place) { return place.until == 0 ? UINT64_MAX : place.until; }

}  // namespace

SegmentWalk::SegmentWalk(Storage& storage, const std::string& path, const Options& options)
    : options_(options), at_(std::max(options.place.first, options.from)) {
  open(storage, path);
}

void SegmentWalk::open(Storage& storage, const std::string& path) {
  bool blank = false;
  try {
    os::Fd file = storage.open(path);
    blank = is_blank(file);
    reader_.emplace(std::move(file), options_.queue_id);
    if (reader_->first() > options_.place.first) done_ = true;  // segment_writer.hpp, O1
  } catch (const Error& error) {
    done_ = true;
    // Not there: everybody was past it, and the supervisor removed it.
    if (error.code() == Code::not_found || at_ >= bound_of(options_.place)) return;
    if (blank) {
      refused_ = rest("it was begun, and nothing was written to it", options_.place.until == 0);
    } else {
      refused_ = rest(error.what());
    }
  }
}

std::optional<Run> SegmentWalk::next() {
  if (refused_) return std::exchange(refused_, std::nullopt);
  if (done_ || at_ >= bound_of(options_.place)) return std::nullopt;
  try {
    return look();
  } catch (const Error& error) {
    done_ = true;
    return rest(error.what());
  }
}

std::optional<Run> SegmentWalk::look() {
  const SegmentReader::Spot* spot = reader_->find(at_);
  if (spot == nullptr) {
    done_ = true;
    return tail();
  }
  if (spot->first > at_) {
    return unread(std::min(spot->first, bound_of(options_.place)), "no batch has them");
  }
  return part_of(*spot);
}

/// What is behind the last batch that can be found.
std::optional<Run> SegmentWalk::tail() {
  const bool ended = reader_->ended();
  const bool more = options_.place.until != 0 || at_ < options_.counted;
  if ((ended && !more) || reader_->was_written_over()) return std::nullopt;
  return rest(ended ? "the segment ends before them"
                    : "the header of a batch does not add up; what is behind it cannot be found",
              !more);
}

std::optional<Run> SegmentWalk::part_of(SegmentReader::Spot spot) {
  const std::uint64_t end = std::min(spot.end(), bound_of(options_.place));
  try {
    if (auto block = reader_->read(spot, std::move(spare_))) {
      spare_ = block;
      return Run{std::exchange(at_, end), end, std::move(block), {}, false};
    }
    if (reader_->was_written_over()) {
      done_ = true;
      return std::nullopt;
    }
  } catch (const Error& error) {  // those behind it may be on a better part of the disk
    return unread(end, error.what());
  }
  const bool torn = options_.may_be_torn && options_.place.until == 0 &&
                    spot.first >= options_.counted && reader_->find(spot.end()) == nullptr;
  return unread(end, fmt::format("the batch {}..{} does not add up", spot.first, spot.end()), torn);
}

Run SegmentWalk::unread(std::uint64_t end, std::string why, bool torn) {
  return {std::exchange(at_, end), end, nullptr, std::move(why), torn};
}

/// All that is looked for in this segment from here on.
Run SegmentWalk::rest(const std::string& why, bool torn) {
  const std::uint64_t least = std::max(at_, options_.counted);
  return unread(options_.place.until == 0 ? least : options_.place.until, why,
                torn && at_ == least);
}

std::optional<std::uint64_t> SegmentWalk::created() const noexcept {
  return reader_ ? std::optional(reader_->header().created) : std::nullopt;
}

std::uint64_t SegmentWalk::batches() const noexcept {
  return reader_ ? reader_->spots().size() : 0;
}

std::uint64_t SegmentWalk::newest() const noexcept {
  return batches() == 0 ? 0 : reader_->spots().back().time;
}

Outline outline_of(Storage& storage, const std::string& path, std::uint64_t queue_id,
                   const Place& place) {
  Outline outline{place.first, 0};
  try {
    SegmentReader reader(storage.open(path), queue_id);
    if (reader.first() > place.first) return outline;
    while (const SegmentReader::Spot* spot = reader.find(outline.end)) {
      if (spot->first >= bound_of(place)) break;
      outline.messages += reader.count_messages(*spot, outline.end, bound_of(place));
      outline.end = std::min(spot->end(), bound_of(place));
      if (outline.end == bound_of(place)) break;
    }
  } catch (const Error&) {  // what can be read is what there is
  }
  return outline;
}

}  // namespace spillring::journal
