// A segment of the journal: any bytes as a file, and, as few bytes add up by chance, files whose
// checksums are made to.
//
//   input := how:u8 batches:u8 first:u8 until:u8 from:u8 counted:u8 header[64] rest
//
// `rest` lies where batches begin. Of so many of them magic and checksums are made right.
#include <optional>

#include "journal/checksum.hpp"
#include "journal/segment_reader.hpp"
#include "journal/segment_walk.hpp"
#include "journal/segment_writer.hpp"
#include "layout/last_sequence.hpp"
#include "memory_storage.hpp"
#include "spillring/parts.hpp"
#include "target.hpp"

namespace spillring::fuzz {
namespace {

constexpr std::uint64_t queue_id = 7;
const std::string path = "/journal/0000000000000007/0000000000000001.segment";

enum How : std::uint8_t {
  seal_header = 1,
  may_be_torn = 2,
  is_last = 4,       // no segment follows
  leave_bodies = 8,  // their sums are as they were
  end_in_zeros = 16,
};

using File = std::vector<std::byte>;

template <typename T>
std::optional<T> read_at(const File& file, std::uint64_t at) {
  if (at > file.size() || file.size() - at < sizeof(T)) return std::nullopt;
  T value{};
  std::memcpy(&value, file.data() + at, sizeof value);
  return value;
}

/// Makes the batch at `at` right, as far as it is there; returns where the next one is.
std::uint64_t seal_batch(File& file, std::uint64_t at, std::uint64_t salt, bool with_body) {
  auto header = read_at<layout::BatchHeader>(file, at);
  if (!header) return file.size();
  header->magic = layout::batch_magic;
  const std::uint64_t room = file.size() - at - sizeof *header;
  const std::uint64_t entries = std::uint64_t{header->count} * sizeof(layout::Entry);
  const bool is_whole = entries <= room && header->data <= room - entries;
  if (is_whole && with_body) {
    journal::Checksum sum(salt);
    sum.add(Bytes(file).subspan(at + sizeof *header, entries + header->data));
    header->body_sum = sum.value();
  }
  header->checksum = journal::checksum_of(*header, salt);
  std::memcpy(file.data() + at, &*header, sizeof *header);
  return is_whole ? at + layout::batch_size(header->count, header->data) : file.size();
}

void seal(File& file, std::uint8_t how, unsigned batches) {
  auto header = read_at<layout::SegmentHeader>(file, 0);
  if (!header) return;
  if ((how & seal_header) != 0) {
    header->magic = layout::segment_magic;
    header->version = layout::journal_version;
    header->queue_id = queue_id;
    header->checksum = journal::checksum_of(*header);
    std::memcpy(file.data(), &*header, sizeof *header);
  }
  for (std::uint64_t at = layout::first_batch_at; batches != 0; --batches) {
    at = seal_batch(file, at, header->salt, (how & leave_bodies) == 0);
  }
}

void require_sound(const journal::Block& read, Bytes memory, std::uint64_t s) {
  if (!read.is_message(s)) return;
  const auto message = read.message(s);
  if (!message) return;
  require(is_within(message->payload, memory), "a payload lies in its batch");
  require(is_within(message->metadata, memory), "metadata lie in their batch");
  touch(message->payload);
  for (const Header& header : message->headers()) {
    require(is_within(header.value, message->metadata), "a header lies in its metadata");
  }
  if (const auto key = message->key()) {
    require(is_within(*key, message->metadata), "a key lies in its metadata");
  }
  for (const Bytes part : Parts(message->payload, message->is_batch)) touch(part);
}

/// What was read can be written and read again.
void write_again(const journal::SegmentReader::Spot& spot, journal::Block& read) {
  const Bytes memory = read.memory();
  layout::BatchHeader header{};
  std::memcpy(&header, memory.data(), sizeof header);
  journal::Batch batch{.first = spot.first};
  for (std::uint64_t s = spot.first; s < spot.end(); ++s) batch.entries.push_back(read.entry(s));
  const std::uint64_t body = sizeof header + spot.count * sizeof(layout::Entry);
  batch.pieces = {memory.subspan(body, header.data)};
  batch.data = header.data;
  MemoryStorage storage;
  journal::SegmentWriter out(storage, {"/again", queue_id, layout::first_batch_at});
  out.append(batch, false);
  require(storage.files.size() == 1, "a batch is written to one file");
  journal::SegmentReader in(file_of(storage.files.begin()->second), queue_id);
  const auto* found = in.find(spot.first);
  require(found != nullptr && found->first == spot.first && found->count == spot.count,
          "what was written is found");
  const auto again = in.read(*found, nullptr);
  require(again != nullptr, "what was written can be read");
  const std::size_t all = spot.count * sizeof(layout::Entry) + header.data;
  require(std::ranges::equal(Bytes(again->memory()).subspan(sizeof header, all),
                             memory.subspan(sizeof header, all)),
          "what was written is what is read");
}

void read_batches(const File& file) try {
  journal::SegmentReader reader(file_of(file), queue_id);
  const std::uint64_t end = reader.end();
  std::uint64_t behind = reader.first();
  std::uint64_t offset = layout::first_batch_at;
  std::shared_ptr<journal::Block> block;
  for (const auto& spot : reader.spots()) {
    require(spot.first >= behind && spot.count != 0, "numbers rise from batch to batch");
    require(spot.offset == offset && spot.size % layout::batch_unit == 0, "batches are a chain");
    behind = spot.end();
    offset += spot.size;
    require(reader.count_messages(spot, 0, UINT64_MAX) <= spot.count, "a number is one message");
    block = reader.read(spot, std::move(block));
    if (block == nullptr) continue;
    require(block->first() == spot.first && block->end() == spot.end(), "a batch is what it says");
    for (std::uint64_t s = spot.first; s < spot.end(); ++s) {
      require_sound(*block, block->memory(), s);
    }
    write_again(spot, *block);
  }
  require(end == behind, "a segment ends with its last batch");
  for (const auto& spot : reader.spots()) {
    require(reader.find(spot.first)->offset == spot.offset, "a number is found where it is");
  }
} catch (const Error& error) {
  require(error.code() == Code::corrupt || error.code() == Code::version_mismatch,
          "a file that is no segment is refused as such");
}

/// Every number is spoken of once, in order.
void walk(MemoryStorage& storage, const journal::SegmentWalk::Options& options) {
  journal::SegmentWalk walk(storage, path, options);
  const std::uint64_t until = options.place.until;
  std::uint64_t at = std::max(options.place.first, options.from);
  std::uint64_t runs = 0;
  while (const auto run = walk.next()) {
    ++runs;
    require(run->first == at && run->end >= at, "no number is passed over, or comes twice");
    require(run->why.empty() == (run->block != nullptr), "what cannot be read has a reason");
    require(!run->torn || run->block == nullptr, "what was read is not torn");
    require(until == 0 || run->end <= until, "numbers of the next segment are not looked for");
    for (std::uint64_t s = run->first; run->block != nullptr && s < run->end; ++s) {
      require(run->block->has(s), "what can be read is there");
      require_sound(*run->block, run->block->memory(), s);
    }
    at = run->end;
  }
  require(runs == 0 || at >= until, "all numbers are spoken of");
}

}  // namespace

void journal(Bytes input) {
  Input in(input);
  const auto how = in.number<std::uint8_t>();
  const unsigned batches = in.number<std::uint8_t>() % 16;
  journal::SegmentWalk::Options options{.queue_id = queue_id};
  options.place.first = 1 + in.number<std::uint8_t>() % 8;
  const auto length = in.number<std::uint8_t>();
  if ((how & is_last) == 0) options.place.until = options.place.first + 1 + length;
  options.from = in.number<std::uint8_t>();
  options.may_be_torn = (how & may_be_torn) != 0;
  options.counted = in.number<std::uint8_t>();
  const Bytes header = in.run(sizeof(layout::SegmentHeader));
  File file(header.begin(), header.end());
  if (const Bytes rest = in.rest(); !rest.empty()) {
    file.resize(layout::first_batch_at);
    file.insert(file.end(), rest.begin(), rest.end());
    if ((how & end_in_zeros) != 0) file.resize(file.size() + sizeof(layout::BatchHeader));
  }
  seal(file, how, batches);
  read_batches(file);
  MemoryStorage storage;
  storage.files[path] = file;
  walk(storage, options);
  const journal::Outline outline = journal::outline_of(storage, path, queue_id, options.place);
  require(outline.end >= options.place.first, "an outline does not end before it begins");
  require(outline.messages <= outline.end - options.place.first, "a number is one message");
  require(storage.files.size() == 1 && storage.files[path] == file, "reading changes nothing");
}

}  // namespace spillring::fuzz
