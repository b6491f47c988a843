// Any bytes as a safetensors file: refused with one line, or a table whose every byte can be read.
//
// The first byte chooses how the rest is taken: even, as the file itself; odd, as a header up to the first
// 0xff (which JSON never contains) and data after it, with the right length put before them, so that
// mutations of the header's text are not all lost to a wrong length.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "engine/checkpoint/safetensors.hpp"

namespace {

std::vector<std::byte> with_length(const std::byte* begin, const std::byte* end) {
  const std::byte* split = begin;
  while (split != end && *split != std::byte{0xff}) ++split;
  const auto header_bytes = static_cast<std::uint64_t>(split - begin);
  std::vector<std::byte> file(8);
  std::memcpy(file.data(), &header_bytes, 8);
  file.insert(file.end(), begin, split);
  if (split != end) file.insert(file.end(), split + 1, end);
  return file;
}

unsigned touch(const engine::TensorEntry& entry) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < entry.bytes; ++i) sum += std::to_integer<unsigned>(entry.data[i]);
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  if (size == 0) return 0;
  const auto* begin = reinterpret_cast<const std::byte*>(input);
  const std::vector<std::byte> file = (*input & 1) != 0 ? with_length(begin + 1, begin + size)
                                                        : std::vector<std::byte>(begin + 1, begin + size);
  const auto parsed = engine::parse_safetensors(file, "fuzz");
  if (!parsed) {
    const std::string& message = parsed.error().message;
    if (message.empty() || message.find('\n') != std::string::npos) std::abort();
    return 0;
  }
  volatile unsigned sum = 0;  // keeps the reads
  for (const auto& [name, entry] : parsed->tensors) sum = sum + touch(entry);
  return 0;
}
