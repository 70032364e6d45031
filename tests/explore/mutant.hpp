// Which mutant of the protocols is explored: `mutants` writes sources in which every function that
// it changes has all its forms, and takes the one of this number. 0: as it is.
#pragma once

namespace explore {

extern unsigned mutant;

}  // namespace explore
