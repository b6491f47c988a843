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
  if (lower == "unattributed") return KernelClass::unattributed;
  if (lower == "graph" || lower == "graph_cuda") return KernelClass::graph;
  if (lower.starts_with("copy") || has({"transfer", "memcpy", "memset", "set memory"}))
    return KernelClass::copy;
  // The order decides: "attention_out" is a projection, "dense_shadow" is measuring whatever else it says.
  if (has({"shadow", "sync", "wait"})) return KernelClass::other;
  if (has({"mlp", "gate_up", "down", "silu", "swiglu", "ffn"})) return KernelClass::mlp;
  if (has({"qkv", "proj", "attention_out", "attn_out"})) return KernelClass::projection;
  if (has({"attention", "attn"})) return KernelClass::attention;
  if (has({"head", "sampl", "embed", "argmax", "pick"})) return KernelClass::head;
  return KernelClass::other;
}

const char* name_of(KernelClass kernel_class) {
  constexpr std::array<const char*, kKernelClasses> kNames{
      "projections", "attention", "MLP", "head, sampling", "other", "copies", "whole graph", "unattributed"};
  return kNames[static_cast<std::size_t>(kernel_class)];
}

}  // namespace app::view
