// Follows the whole stream of files, in place, and reports each one's SHA-256:
// `demo_subscriber SOCKET QUEUE REPORTS COUNT [GROUP]`. Ends when COUNT messages and no more have
// come, or when none has come for long.
#include <fcntl.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <spillring/spillring.hpp>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;

std::string sha256(std::span<const std::byte> bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  std::string text;
  for (const unsigned byte : digest) {
    text += "0123456789abcdef"[byte / 16];
    text += "0123456789abcdef"[byte % 16];
  }
  return text;
}

nlohmann::json describe(const spillring::Message& message) {
  const auto key = message.key().value();
  return {{"path", std::string(reinterpret_cast<const char*>(key.data()), key.size())},
          {"sha256", sha256(message.bytes())},
          {"size", message.bytes().size()},
          {"seq", message.seq()},
          {"deliveries", message.deliveries()}};
}

/// One line by one write(2): it stays, whatever happens next.
void append(int file, const nlohmann::json& line) {
  const std::string text = line.dump() + "\n";
  if (::write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("cannot write the report");
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 5) {
    std::fputs("usage: demo_subscriber SOCKET QUEUE REPORTS COUNT [GROUP]\n", stderr);
    return 64;
  }
  const int reports = ::open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  auto in = spillring::connect({.socket = argv[1]})
                .open(argv[2])
                .subscriber(argc > 5 ? argv[5] : "", {.start = spillring::Start::earliest()});
  std::cout << R"({"ready": true})" << std::endl;
  const auto expected = std::strtoull(argv[4], nullptr, 10);
  for (std::uint64_t count = 0;; ++count) {
    auto message = in.receive(count < expected ? 10s : 300ms);
    if (message.error() == spillring::Code::timeout) break;
    append(reports, describe(message.value()));
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "demo_subscriber: %s\n", error.what());
  return 1;
}
