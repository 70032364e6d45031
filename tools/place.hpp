// Places in a queue as people write them.
#pragma once

#include <string>

#include "spillring/options.hpp"

namespace spillring::tools {

/// "earliest", "latest", a sequence, a moment ("2026-11-23T10:00:00Z", as peek prints it), or how
/// long ago ("10m"). Throws `Failure`.
[[nodiscard]] Start place_of(const std::string& label, const std::string& text);

}  // namespace spillring::tools
