"""Programs with mutants in them: the protocols' sources with all their forms, compiled into the explorer, and with real
words into the unit tests of rings, groups and bells. SPILLRING_MUTANT says which form a program takes."""

import os
import pathlib
import re
import subprocess
import sys

import mutation

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("SPILLRING_BUILD", ROOT / "build/dev")).resolve()
FLAGS = ["-std=c++20", "-mcx16", "-O1", "-w"]


def relative(paths):
    return sorted(str(path.relative_to(ROOT)) for path in paths)


# As in CMakeLists.txt.
EXPLORED = relative([*(ROOT / "lib/ring").glob("*.cpp"), *(ROOT / "lib/group").glob("*.cpp")]
                    + [ROOT / f"lib/wait/{name}.cpp" for name in ("bell", "room")]
                    + [ROOT / f"lib/client/{name}.cpp" for name in
                       ("attachment", "consumer_core", "shared_consumer", "stream_consumer", "producer_batch",
                        "producer_core", "ring_chain", "queue_ref")])
EXPLORER = relative([*HERE.glob("*.cpp"), *HERE.glob("scenarios/*.cpp")])
# Of rings, groups and bells: without threads what is found is found each time.
TESTED = [path for path in EXPLORED if not path.startswith("lib/client/")]
UNIT_TESTS = [f"tests/unit/{name}_test.cpp" for name in ("ring/claim", "ring/reclaim", "ring/drop", "group/shared_group",
                                                         "wait/bell", "wait/room")]
LIBRARIES = ["-lfmt", "-lpthread"]

# Half of the time that each source takes.
STANDARD = """
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
"""


class Program:
    """Sources compiled with all forms of `chosen`, {number: mutant}; those that are no C++ are taken out of it."""

    def __init__(self, folder, pool, sources, includes, libraries, headers=STANDARD):
        self.folder, self.pool, self.sources, self.libraries = folder, pool, sources, libraries
        self.includes = [f"-I{folder / 'lib'}", *(f"-I{ROOT / include}" for include in includes)]
        folder.mkdir(parents=True)
        (folder / "standard.hpp").write_text(headers)
        subprocess.run(["g++", *FLAGS, "-x", "c++-header", folder / "standard.hpp", "-o", folder / "standard.hpp.gch"],
                       check=True)

    def build(self, chosen):
        before = {}
        while True:
            texts = self.weave(chosen)
            anew = self.sources if not before else self.users([path for path in texts if texts[path] != before.get(path)])
            results = dict(zip(anew, self.pool.map(self.compile, anew)))
            errors = "".join(errors for good, errors in results.values() if not good)
            if not errors:
                break
            wrong = {int(number) for number in re.findall(r"mutant-(\d+):\d+:\d+: error", errors)} & set(chosen)
            if not wrong:
                sys.exit(f"mutants: they cannot be compiled:\n{errors[:4000]}")
            for number in wrong:
                del chosen[number]
            before = texts
        program = self.folder / "program"
        subprocess.run(["g++", "-o", program, *map(self.object_of, self.sources), BUILD / "lib/libspillring.a",
                        *self.libraries], check=True)
        return program

    def weave(self, chosen):
        texts = {}
        for path in sorted({m.path for m in chosen.values()}):
            here = [(number, m) for number, m in chosen.items() if m.path == path]
            texts[path] = mutation.with_forms((ROOT / path).read_text(), here)
            woven = self.folder / path
            woven.parent.mkdir(parents=True, exist_ok=True)
            woven.write_text(texts[path])
        return texts

    def users(self, paths):
        """The sources that could not be compiled, or that use one of the files."""
        names = {str(self.folder / path) for path in paths}

        def uses(source):
            rule = self.object_of(source).with_suffix(".d")
            return not self.object_of(source).exists() or names & set(rule.read_text().split())

        return [source for source in self.sources if uses(source)]

    def object_of(self, source):
        return self.folder / (source.replace("/", "_") + ".o")

    def compile(self, source):
        woven = self.folder / source
        made = self.object_of(source)
        made.unlink(missing_ok=True)
        run = subprocess.run(["g++", *FLAGS, "-MMD", "-include", self.folder / "standard.hpp", *self.includes, "-c",
                              woven if woven.exists() else ROOT / source, "-o", made],
                             stderr=subprocess.PIPE, text=True, check=False)
        return run.returncode == 0, run.stderr


def explorer(folder, pool):
    return Program(folder, pool, EXPLORED + EXPLORER, ["tests/explore/instead", "tests/explore", "lib", "lib/include"],
                   LIBRARIES)


def unit_tests(folder, pool):
    return Program(folder, pool, TESTED + UNIT_TESTS, ["lib", "lib/include", "tests/unit", "tests/explore", "."],
                   [*LIBRARIES, "-lgmock_main", "-lgmock", "-lgtest"], STANDARD + "#include <gtest/gtest.h>\n")
