#pragma once

namespace spillring::journal {

/// As XXH3_64bits_update(). `state` is an XXH3_state_t. REQUIRES: the processor has AVX2.
void add_with_avx2(void* state, const void* bytes, unsigned long size) noexcept;

}  // namespace spillring::journal
