// Camera frames to several readers: written once, in place, and read in place by everybody.
//
//   camera view 300 &  camera view 300 &      each sees all frames from its start on
//   camera record 300 2                       sends 300 frames as soon as 2 viewers are there
//
//   g++ -std=c++20 camera.cpp $(pkg-config --cflags --libs spillring) -o camera
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <spillring/spillring.hpp>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

constexpr std::size_t width = 640;
constexpr std::size_t height = 480;

struct Frame {
  std::uint64_t number;
  std::uint8_t pixels[width * height];
};

/// Only what attached viewers need is kept; a frame that is late is worth nothing.
spillring::Queue frames() {
  return spillring::connect().open_or_create(
      "camera", {.capacity = 32 * spillring::MiB, .keep = spillring::Keep::attached});
}

void record(std::uint64_t count, std::uint64_t viewers) {
  const spillring::Queue queue = frames();
  while (queue.info().consumers < viewers) std::this_thread::sleep_for(5ms);
  spillring::Producer out = queue.producer();
  for (std::uint64_t number = 0; number < count; ++number) {
    spillring::Loan loan = out.loan(sizeof(Frame)).value();
    auto* const frame = new (loan.bytes().data()) Frame;
    frame->number = number;
    std::fill(std::begin(frame->pixels), std::end(frame->pixels),
              static_cast<std::uint8_t>(number));
    loan.publish().value();
  }
}

void view(std::uint64_t count) {
  spillring::Consumer in = frames().subscriber();
  std::uint64_t torn = 0;
  for (std::uint64_t seen = 0; seen < count; ++seen) {
    const spillring::Message message = in.receive(30s).value();
    const auto& frame = *reinterpret_cast<const Frame*>(message.bytes().data());
    const auto wanted = static_cast<std::uint8_t>(frame.number);
    const bool whole =
        std::ranges::all_of(frame.pixels, [&](std::uint8_t pixel) { return pixel == wanted; });
    if (!whole || frame.number != seen) ++torn;
  }
  std::cout << count << " frames, " << torn << " torn or out of order\n";
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string verb = argc > 2 ? argv[1] : "";
  if (verb == "record" && argc == 4) {
    record(std::stoull(argv[2]), std::stoull(argv[3]));
  } else if (verb == "view" && argc == 3) {
    view(std::stoull(argv[2]));
  } else {
    std::cerr << "usage: camera record FRAMES VIEWERS | camera view FRAMES\n";
    return 64;
  }
} catch (const spillring::Error& error) {
  std::cerr << error.summary() << ": " << error.why() << '\n';
  return 1;
}
