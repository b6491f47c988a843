// What a kernel or operation is for, by its name: what gives its box a colour.
#pragma once

#include <cstdint>
#include <string_view>

namespace app::view {

enum class KernelClass : std::uint8_t { projection, attention, mlp, head, other };

// "qkv", "o_proj_residual": projection; "attn_decode": attention; "mlp_up", "rmsnorm_gate_up_silu": MLP;
// "embed", "head", "sample": head; what none of it fits, synchronization and measuring included: other.
KernelClass class_of_kernel(std::string_view name);

const char* name_of(KernelClass kernel_class);

}  // namespace app::view
