#include "heap.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace explore::heap {

namespace {

constexpr std::size_t size = std::size_t{1} << 20;
alignas(64) std::byte piece[size];
std::size_t used = 0;
bool is_inside = false;

void* take(std::size_t bytes) {
  if (!is_inside) {
    if (void* const at = std::malloc(bytes == 0 ? 1 : bytes)) return at;
    throw std::bad_alloc();
  }
  const std::size_t whole = (bytes + 15) & ~std::size_t{15};
  if (size - used < whole) {
    std::fputs("explore: the roles have used up their memory\n", stderr);
    std::abort();
  }
  void* const at = piece + used;
  used += whole;
  return at;
}

void give_back(void* at) noexcept {
  const auto* byte = static_cast<std::byte*>(at);
  if (byte < piece || byte >= piece + size) std::free(at);
}

}  // namespace

Scope::Scope(bool inside) noexcept : before_(is_inside) { is_inside = inside; }
Scope::~Scope() { is_inside = before_; }

void enter(bool inside) noexcept { is_inside = inside; }

void clear() noexcept { used = 0; }
std::vector<std::byte> save() { return {piece, piece + used}; }
void restore(const std::vector<std::byte>& saved) noexcept {
  std::memcpy(piece, saved.data(), saved.size());
  used = saved.size();
}

}  // namespace explore::heap

void* operator new(std::size_t bytes) { return explore::heap::take(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return explore::heap::take(bytes);
}
void operator delete(void* at) noexcept { explore::heap::give_back(at); }
void operator delete(void* at, std::size_t) noexcept { explore::heap::give_back(at); }
