#include "app/npy_writer.hpp"

#include <bit>
#include <cassert>
#include <functional>
#include <numeric>

namespace app {

static_assert(std::endian::native == std::endian::little, "elements are written as they lie in memory");

std::string npy_header(const char* descr, std::span<const std::int64_t> shape) {
  std::string extents;
  for (const std::int64_t extent : shape) extents += fmt::format("{}, ", extent);
  if (shape.size() > 1) extents.resize(extents.size() - 2);  // a tuple of one keeps its comma
  std::string dict =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, extents);
  // Magic, version and length take 10 bytes; the data starts at a multiple of 64, after a newline.
  constexpr std::size_t kPrefix = 10;
  constexpr std::size_t kAlignment = 64;
  const std::size_t unpadded = kPrefix + dict.size() + 1;
  dict.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  dict += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(dict.size() & 0xff);
  header += static_cast<char>(dict.size() >> 8);
  return header + dict;
}

engine::Result<NpyWriter> NpyWriter::create(const std::filesystem::path& path, const char* descr,
                                            std::vector<std::int64_t> shape) {
  auto file = OutputFile::create(path);
  if (!file) return file.error();
  const std::string header = npy_header(descr, shape);
  if (auto status = file->write(std::as_bytes(std::span(header))); !status) return status.error();
  const std::int64_t elements =
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  return NpyWriter(std::move(*file), elements);
}

engine::Status NpyWriter::commit() {
  assert(written_ == elements_);
  return file_.commit();
}

}  // namespace app
