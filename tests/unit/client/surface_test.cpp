// The names that are fixed, and how each is called: what is written here compiles, or a program
// that was written before would not.
#include <gtest/gtest.h>

#include <concepts>

#include "spillring/embedded.hpp"
#include "spillring/spillring.hpp"

namespace spillring {
namespace {

using Bytes = std::span<const std::byte>;

template <typename Actual, typename Wanted>
concept Is = std::same_as<Actual, Wanted>;

static_assert(Is<decltype(connect()), Client>);
static_assert(Is<decltype(std::declval<Embedded>().connect()), Client>);

static_assert(Is<decltype(&Client::open), Queue (Client::*)(std::string_view) const>);
static_assert(
    Is<decltype(&Client::create), Queue (Client::*)(std::string_view, const QueueOptions&) const>);
static_assert(Is<decltype(&Client::remove), void (Client::*)(std::string_view) const>);
static_assert(Is<decltype(&Client::list), std::vector<QueueInfo> (Client::*)() const>);

static_assert(Is<decltype(&Queue::producer), Producer (Queue::*)(const ProducerOptions&) const>);
static_assert(Is<decltype(&Queue::consumer),
                 Consumer (Queue::*)(std::string_view, const ConsumerOptions&) const>);
static_assert(Is<decltype(&Queue::subscriber),
                 Consumer (Queue::*)(std::string_view, const SubscriberOptions&) const>);
static_assert(Is<decltype(&Queue::info), QueueInfo (Queue::*)() const>);

static_assert(Is<decltype(&Producer::loan),
                 Result<Loan> (Producer::*)(std::size_t, Timeout, const LoanOptions&)>);
static_assert(Is<decltype(&Producer::send),
                 Result<std::uint64_t> (Producer::*)(Bytes, Timeout, const Metadata&)>);
static_assert(
    Is<decltype(&Producer::try_send), Result<std::uint64_t> (Producer::*)(Bytes, const Metadata&)>);
static_assert(Is<decltype(&Producer::send_batch),
                 Result<Sent> (Producer::*)(std::span<const Bytes>, Timeout, const BatchOptions&)>);
static_assert(Is<decltype(&Producer::flush), Result<void> (Producer::*)(Timeout)>);

static_assert(Is<decltype(&Loan::bytes), std::span<std::byte> (Loan::*)() const noexcept>);
static_assert(Is<decltype(std::declval<Loan&>().publish()), Result<std::uint64_t>>);
static_assert(Is<decltype(std::declval<Loan&>().publish(std::size_t{})), Result<std::uint64_t>>);
static_assert(Is<decltype(&Loan::cancel), void (Loan::*)() noexcept>);

static_assert(Is<decltype(&Consumer::receive), Result<Message> (Consumer::*)(Timeout)>);
static_assert(Is<decltype(&Consumer::try_receive), Result<Message> (Consumer::*)()>);
static_assert(Is<decltype(&Consumer::receive_batch),
                 Result<std::vector<Message>> (Consumer::*)(std::size_t, Timeout)>);
static_assert(Is<decltype(&Consumer::fd), int (Consumer::*)()>);
static_assert(Is<decltype(&Consumer::seek), void (Consumer::*)(Start)>);
static_assert(Is<decltype(&Consumer::lag), std::uint64_t (Consumer::*)() const>);

static_assert(Is<decltype(&Message::bytes), Bytes (Message::*)() const noexcept>);
static_assert(Is<decltype(&Message::key), std::optional<Bytes> (Message::*)() const>);
static_assert(Is<decltype(&Message::headers), std::vector<Header> (Message::*)() const>);
static_assert(Is<decltype(&Message::seq), std::uint64_t (Message::*)() const noexcept>);
static_assert(Is<decltype(&Message::deliveries), unsigned (Message::*)() const noexcept>);
static_assert(Is<decltype(&Message::parts), Parts (Message::*)() const noexcept>);
static_assert(Is<decltype(&Message::ack), Result<void> (Message::*)()>);
static_assert(Is<decltype(&Message::nack), Result<void> (Message::*)(Timeout)>);

static_assert(std::derived_from<Error, std::exception>);
static_assert(std::is_move_constructible_v<WaitSet>);

// Defaults do not show in a type.
TEST(Surface, MayBeCalledWithWhatIsNeededOnly) {
  const Embedded supervisor;
  const Client bus = supervisor.connect();
  const Queue queue = bus.create("ticks", {.capacity = 64 * MiB});
  Producer out = queue.producer();
  Consumer in = queue.consumer("pricing", {.prefetch = 64});
  Consumer all = queue.subscriber();
  EXPECT_TRUE(out.send(Bytes()));
  EXPECT_TRUE(out.try_send(Bytes()));
  EXPECT_TRUE(out.loan(1)->publish());
  EXPECT_TRUE(in.receive()->ack());
  EXPECT_TRUE(in.try_receive()->nack());
  EXPECT_EQ(in.receive_batch(10)->size(), 2U);
  EXPECT_TRUE(all.receive());
  EXPECT_GT(queue.consumer().lag(), 0U);
}

}  // namespace
}  // namespace spillring
