// Where the threads' own memory lies: one piece that is put back before each execution, so that who
// dies in the middle leaves nothing behind, and every execution begins with the same handles.
#pragma once

#include <cstddef>
#include <vector>

namespace explore::heap {

/// While one exists, operator new takes from the piece.
class Scope {
 public:
  explicit Scope(bool inside) noexcept;
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope();

 private:
  bool before_;
};

/// For who comes from another stack, whose scopes are not this one's.
void enter(bool inside) noexcept;

/// Empty.
void clear() noexcept;
std::vector<std::byte> save();
void restore(const std::vector<std::byte>& saved) noexcept;

}  // namespace explore::heap
