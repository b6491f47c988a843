// The portable kernels with the AMX product on emulated tiles.
#pragma once

#include "kernels/cpu/simd/kernels.hpp"

namespace kernels::test {

simd::Kernels emulated_amx_kernels();

}  // namespace kernels::test
