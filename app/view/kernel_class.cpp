#include "app/view/kernel_class.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <string>

namespace app::view {

KernelClass class_of_kernel(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  const auto has = [&](std::initializer_list<const char*> parts) {
    return std::any_of(parts.begin(), parts.end(),
                       [&](const char* part) { return lower.find(part) != std::string::npos; });
  };
  // The order decides: "attention_out" is a projection, "dense_shadow" is measuring whatever else it says.
  if (has({"shadow", "sync", "wait", "memcpy", "memset"})) return KernelClass::other;
  if (has({"mlp", "gate_up", "down", "silu", "swiglu", "ffn"})) return KernelClass::mlp;
  if (has({"qkv", "proj", "attention_out", "attn_out"})) return KernelClass::projection;
  if (has({"attention", "attn"})) return KernelClass::attention;
  if (has({"head", "sampl", "embed", "argmax"})) return KernelClass::head;
  return KernelClass::other;
}

const char* name_of(KernelClass kernel_class) {
  constexpr std::array kNames{"projections", "attention", "MLP", "head, sampling", "other"};
  return kNames[static_cast<std::size_t>(kernel_class)];
}

}  // namespace app::view
