// What a kernel or operation is for, by its name: what gives its box a colour.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace app::view {

enum class KernelClass : std::uint8_t {
  projection,
  attention,
  mlp,
  head,
  other,
  copy,          // of memory, and setting it
  graph,         // one launch of a graph, its kernels not told apart
  unattributed,  // whose operation is not known
};
inline constexpr std::size_t kKernelClasses = 8;

// "qkv", "o_proj_residual": projection; "attn_decode": attention; "mlp_up", "rmsnorm_gate_up_silu": MLP;
// "embed", "head", "sample", "pick": head; "transfer", "copy host to device": copy; "graph" and
// "unattributed" as they are; what none of it fits, synchronization and measuring included: other.
KernelClass class_of_kernel(std::string_view name);

const char* name_of(KernelClass kernel_class);

}  // namespace app::view
