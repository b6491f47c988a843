// Numbers for the names of kernels, in the order they are first seen; each is demangled once. Names are
// compared by content: a pointer into a module that was unloaded and loaded again may name another kernel.
// One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace profiling {

// "void (anonymous namespace)::gemv<float>(Args)", mangled or not, as "gemv<float>".
std::string plain_kernel_name(const char* name);

class KernelNames {
 public:
  // A name that comes when all numbers are taken shares the last one, "other kernels".
  std::int16_t number_of(const char* name);
  std::int64_t unnamed() const { return unnamed_; }

  // Names numbered since the last call.
  std::vector<std::string> take_new();
  // All names are new again: another run starts.
  void clear();

 private:
  // Span::kernel has 16 bits, and a run's own operations want a few.
  static constexpr std::size_t kMaxNames = 30000;

  std::int16_t add(std::string plain);

  std::unordered_map<std::string, std::int16_t> by_given_;  // as the records have it
  std::unordered_map<std::string, std::int16_t> by_plain_;
  std::vector<std::string> new_;
  std::string key_;  // scratch
  std::int64_t unnamed_ = 0;
};

}  // namespace profiling
