// Follows the whole stream of files, in place, and reports each one's SHA-256:
// `demo_subscriber SOCKET REPORTS COUNT`. Ends after COUNT messages; one more is an error.
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
  if (argc != 4) {
    std::fputs("usage: demo_subscriber SOCKET REPORTS COUNT\n", stderr);
    return 64;
  }
  const int reports = ::open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  auto in = spillring::connect({.socket = argv[1]})
                .open("files")
                .subscriber({}, {.start = spillring::Start::earliest()});
  std::cout << R"({"ready": true})" << std::endl;
  for (auto left = std::strtoull(argv[3], nullptr, 10); left > 0; --left) {
    append(reports, describe(in.receive(30s).value()));
  }
  if (auto another = in.receive(300ms)) throw std::runtime_error("more messages than files");
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "demo_subscriber: %s\n", error.what());
  return 1;
}
