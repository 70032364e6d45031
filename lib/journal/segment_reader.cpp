#include "journal/segment_reader.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "journal/checksum.hpp"
#include "layout/last_sequence.hpp"
#include "spillring/error.hpp"

namespace spillring::journal {

namespace {

/// Reads up to the size of `into`; less only at the file's end.
std::size_t read_at(const os::Fd& file, std::uint64_t offset, std::span<std::byte> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t got = ::pread(file.get(), into.data() + done, into.size() - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw Error(Code::io, "cannot read the journal", ::strerrordesc_np(errno));
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::uint64_t size_of(const os::Fd& file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) {
    throw Error(Code::io, "cannot read the journal", ::strerrordesc_np(errno));
  }
  return static_cast<std::uint64_t>(status.st_size);
}

/// True: the file ends there, or has only zeros where a header would be.
bool is_blank_at(const os::Fd& file, std::uint64_t offset) {
  std::array<std::byte, sizeof(layout::BatchHeader)> bytes{};
  read_at(file, offset, bytes);
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{}; });
}

}  // namespace

bool is_blank(const os::Fd& file) { return is_blank_at(file, 0); }

SegmentReader::SegmentReader(os::Fd file, std::uint64_t queue_id) : file_(std::move(file)) {
  const auto bytes = std::as_writable_bytes(std::span(&header_, 1));
  const bool whole = read_at(file_, 0, bytes) == bytes.size();
  if (!whole || header_.magic != layout::segment_magic ||
      header_.checksum != checksum_of(header_) || header_.first > layout::last_sequence) {
    throw Error(Code::corrupt, "a journal segment is damaged", "its header does not add up");
  }
  if (header_.version != layout::journal_version) {
    throw Error(Code::version_mismatch, "a journal segment is of another version", "",
                "read it with the release that wrote it");
  }
  if (header_.queue_id != queue_id) {
    throw Error(Code::corrupt, "a journal segment is damaged", "it is of another queue");
  }
}

std::uint64_t SegmentReader::next_offset() const noexcept {
  return spots_.empty() ? layout::first_batch_at : spots_.back().offset + spots_.back().size;
}

bool SegmentReader::check(const layout::BatchHeader& header) const noexcept {
  const std::uint64_t behind = spots_.empty() ? header_.first : spots_.back().end();
  return header.magic == layout::batch_magic &&
         header.checksum == checksum_of(header, header_.salt) && header.first >= behind &&
         header.first <= layout::last_sequence && header.count != 0 &&
         header.count <= layout::most_in_batch && header.data <= layout::max_batch;
}

bool SegmentReader::walk_on() {
  layout::BatchHeader header{};
  const auto bytes = std::as_writable_bytes(std::span(&header, 1));
  const std::uint64_t offset = next_offset();
  if (read_at(file_, offset, bytes) != bytes.size() || !check(header)) return false;
  spots_.push_back({header.first, header.count, offset,
                    layout::batch_size(header.count, header.data), header.time});
  return true;
}

const SegmentReader::Spot* SegmentReader::find(std::uint64_t s) {
  while (spots_.empty() || spots_.back().end() <= s) {
    if (!walk_on()) return nullptr;
  }
  const auto found = std::partition_point(spots_.begin(), spots_.end(),
                                          [s](const Spot& spot) { return spot.end() <= s; });
  return &*found;
}

std::uint64_t SegmentReader::end() {
  while (walk_on()) {
  }
  return spots_.empty() ? header_.first : spots_.back().end();
}

std::uint64_t SegmentReader::count_messages(const Spot& spot, std::uint64_t from,
                                            std::uint64_t until) const {
  from = std::max(from, spot.first);
  until = std::max(from, std::min(until, spot.end()));
  const std::uint64_t offset =
      spot.offset + sizeof(layout::BatchHeader) + (from - spot.first) * sizeof(layout::Entry);
  std::vector<layout::Entry> entries(until - from);
  const auto bytes = std::as_writable_bytes(std::span(entries));
  entries.resize(read_at(file_, offset, bytes) / sizeof(layout::Entry));
  return static_cast<std::uint64_t>(
      std::count_if(entries.begin(), entries.end(), [](const layout::Entry& entry) {
        return entry.state == static_cast<std::uint64_t>(layout::Published::committed);
      }));
}

bool SegmentReader::was_written_over() const {
  layout::SegmentHeader now{};
  read_at(file_, 0, std::as_writable_bytes(std::span(&now, 1)));
  return std::memcmp(&now, &header_, sizeof now) != 0;
}

bool SegmentReader::ended() const { return is_blank_at(file_, next_offset()); }

std::shared_ptr<Block> SegmentReader::read(const Spot& spot, std::shared_ptr<Block> block) {
  if (block == nullptr || block.use_count() != 1 || block->memory().size() < spot.size) {
    // No memory for what is not there: a header may speak of gigabytes in a file that was cut.
    // Padding may be missing at the very end.
    if (size_of(file_) + layout::batch_unit <= spot.offset + spot.size) return nullptr;
    block = std::make_shared<Block>(spot.size);
  }
  const std::size_t got = read_at(file_, spot.offset, block->memory().first(spot.size));
  layout::BatchHeader header{};
  if (got < sizeof header) return nullptr;
  std::memcpy(&header, block->memory().data(), sizeof header);
  if (header.checksum != checksum_of(header, header_.salt) || header.first != spot.first ||
      header.count != spot.count || layout::batch_size(header.count, header.data) != spot.size) {
    return nullptr;
  }
  const std::uint64_t body = header.count * sizeof(layout::Entry) + header.data;
  // Padding may be missing at the very end of a file.
  if (got - sizeof header < body) return nullptr;
  Checksum sum(header_.salt);
  sum.add(block->memory().subspan(sizeof header, body));
  if (sum.value() != header.body_sum) return nullptr;
  block->hold(header);
  return block;
}

}  // namespace spillring::journal
