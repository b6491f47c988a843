// Named ranges on the calling thread, which Nsight shows when it watches; next to free when it does not.
#pragma once

namespace kernels::cuda {

void push_range(const char* name);
void pop_range();

}  // namespace kernels::cuda
