// The reference: what an expert writes by hand for one sender and one receiver.
//
// Fixed slots in shared memory, an index of each side on a line of its own, and of each a copy that
// the other side reads anew only when the ring seems full, or empty. No crash safety, no sizes, no
// sleeping. Several senders or receivers have a ring each.
#include <atomic>
#include <memory>
#include <vector>

#include "peer.hpp"
#include "segment.hpp"

namespace spillring::bench {
namespace {

struct Indices {
  alignas(64) std::atomic<std::uint64_t> written{0};
  alignas(64) std::atomic<std::uint64_t> read{0};
};

std::size_t slots_for(const Work& work) {
  if (work.capacity != 0) return work.capacity / work.size;
  if (work.size >= 1 << 20) return 8;
  if (work.size >= 64 << 10) return 64;
  return work.size >= 1024 ? 1024 : 4096;
}

class Ring {
 public:
  explicit Ring(const Work& work)
      : slot_((work.size + 63) / 64 * 64),
        slots_(slots_for(work)),
        segment_(sizeof(Indices) + slot_ * slots_) {
    new (segment_.data()) Indices;
  }
  [[nodiscard]] Indices& indices() const { return *reinterpret_cast<Indices*>(segment_.data()); }
  [[nodiscard]] std::byte* slot(std::uint64_t number) const {
    return segment_.data() + sizeof(Indices) + (number & (slots_ - 1)) * slot_;
  }
  [[nodiscard]] std::size_t slots() const { return slots_; }

 private:
  std::size_t slot_;
  std::size_t slots_;
  Segment segment_;
};

class RingWriter {
 public:
  RingWriter(const Ring& ring, unsigned batch) : ring_(&ring), batch_(batch) {}
  bool room() {
    if (next_ - read_ < ring_->slots()) return true;
    publish();
    read_ = ring_->indices().read.load(std::memory_order_acquire);
    return next_ - read_ < ring_->slots();
  }
  [[nodiscard]] std::byte* place() const { return ring_->slot(next_); }
  void advance() {
    ++next_;
    if (batch_ == 1 || next_ % batch_ == 0) publish();
  }
  void publish() { ring_->indices().written.store(next_, std::memory_order_release); }

 private:
  const Ring* ring_;
  unsigned batch_;
  std::uint64_t next_ = 0;
  std::uint64_t read_ = 0;  // by the other side, when last looked at
};

class RingReader {
 public:
  RingReader(const Ring& ring, unsigned batch, std::size_t size)
      : ring_(&ring), batch_(batch), size_(size) {}
  template <typename Read>
  unsigned receive(Read& read) {
    if (next_ == written_) {
      if (batch_ != 1) release();
      written_ = ring_->indices().written.load(std::memory_order_acquire);
      if (next_ == written_) return 0;
    }
    read(ring_->slot(next_), size_);
    ++next_;
    if (batch_ == 1 || next_ % batch_ == 0) release();
    return 1;
  }

 private:
  void release() { ring_->indices().read.store(next_, std::memory_order_release); }
  const Ring* ring_;
  unsigned batch_;
  std::size_t size_;
  std::uint64_t next_ = 0;
  std::uint64_t written_ = 0;  // by the other side, when last looked at
};

class Rings {
 public:
  static constexpr const char* name = "ring";
  static constexpr const char* settings =
      "one sender, one receiver; 4096 slots of 64 B, 1024 of 1 KiB, 64 of 64 KiB, 8 of 1 MiB";
  static constexpr bool rival = false;
  static std::string cannot(const Work& work) {
    if (work.wait != Wait::busy) return "it cannot sleep";
    if (work.shared) return "it has no groups and no acknowledgements";
    return {};
  }

  Rings(const Work& work, const std::filesystem::path&) {
    const unsigned lanes = work.kind == Kind::round_trip ? 2 : work.producers * work.consumers;
    for (unsigned i = 0; i < lanes; ++i) rings_.push_back(std::make_unique<Ring>(work));
  }

  /// A copy for each receiver.
  class Out {
   public:
    Out(const Rings& rings, const Role& role, unsigned lane) {
      const Work& work = role.work();
      for (unsigned i = 0; i < work.consumers; ++i) {
        const unsigned ring = lane + (lane == 0 ? role.index() * work.consumers : 0) + i;
        writers_.emplace_back(*rings.rings_.at(ring), work.batch);
      }
    }
    template <typename Write>
    bool send(std::size_t, const Write& write) {
      for (RingWriter& writer : writers_) {
        if (!writer.room()) return false;
      }
      for (RingWriter& writer : writers_) {
        write(writer.place());
        writer.advance();
      }
      return true;
    }
    void flush() {
      for (RingWriter& writer : writers_) writer.publish();
    }

   private:
    std::vector<RingWriter> writers_;
  };

  class In {
   public:
    In(const Rings& rings, const Role& role, unsigned lane) {
      const Work& work = role.work();
      for (unsigned i = 0; i < work.producers; ++i) {
        const unsigned ring = lane + (lane == 0 ? role.index() : 0) + i * work.consumers;
        readers_.emplace_back(*rings.rings_.at(ring), work.batch, work.size);
      }
    }
    template <typename Read>
    unsigned receive(Read read) {
      unsigned count = 0;
      for (RingReader& reader : readers_) count += reader.receive(read);
      return count;
    }

   private:
    std::vector<RingReader> readers_;
  };

 private:
  std::vector<std::unique_ptr<Ring>> rings_;
};

const Registered<Rings> registered;

}  // namespace
}  // namespace spillring::bench
