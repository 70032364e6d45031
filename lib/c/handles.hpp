// What is behind the handles of spillring.h.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "c/options.hpp"
#include "spillring.h"
#include "spillring/client.hpp"
#include "spillring/consumer.hpp"
#include "spillring/embedded.hpp"
#include "spillring/producer.hpp"
#include "spillring/queue.hpp"
#include "spillring/wait_set.hpp"

struct spillring_client {
  spillring::Client client;
};

struct spillring_embedded {
  spillring::Embedded embedded;
};

struct spillring_queue {
  spillring::Queue queue;
  std::optional<spillring::c::ShownQueue> shown = {};  // what the caller was told last
};

struct spillring_producer {
  spillring::Producer producer;
};

struct spillring_loan {
  spillring::Loan loan;
};

struct spillring_consumer {
  spillring::Consumer consumer;
};

struct spillring_message {
  spillring::Message message = {};
  const spillring::PeekedMessage* copy = nullptr;  // of one that was peeked at
  /// Names that end with a zero byte; made when somebody asks.
  mutable std::optional<std::vector<std::pair<std::string, std::span<const std::byte>>>> headers =
      {};
};

struct spillring_wait_set {
  spillring::WaitSet waits;
};
