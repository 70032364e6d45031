// Peers that are programs of their own, in whatever language.
//
// A file in JSON lists them:
//     [{"name": "...", "settings": "...", "command": ["...", ...], "works": ["...", ...],
//       "sleeps": true, "python": true, "together": true, "warmups": 20,
//       "missing": "why it is not there"}]
// For each of a work's processes the command is run, followed by `name=value` arguments: those of
// Work::arguments, `window` (a path to map, as window.hpp lays it out), `seat`, and `directory`,
// the same for all processes of a set. The program binds its thread to core 0 (producers) or 1.
// With `together` it is run once, and begins the processes of all seats itself.
#pragma once

#include <filesystem>

namespace spillring::bench {

void add_programs(const std::filesystem::path& list);

}  // namespace spillring::bench
