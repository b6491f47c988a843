// How many weight rows to read side by side for one token, found by timing.
//
// No rule fits: on a Sapphire Rapids four streams read 60 % more than one, on a Zen 4 they read half.
#pragma once

#include "kernels/cpu/simd/kernels.hpp"

namespace kernels::simd {

// 1 or kManyStreams. Takes about 3 ms the first time for each set of kernels; safe from any thread.
int best_streams(const Kernels& kernels);

}  // namespace kernels::simd
