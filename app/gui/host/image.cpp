#include "app/gui/host/image.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "app/output_file.hpp"

namespace app::gui {

namespace {

using Bytes = std::vector<std::byte>;

void append_u32(Bytes& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(value >> shift));
}

void append_chunk(Bytes& out, std::string_view type, std::span<const std::byte> data) {
  append_u32(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t start = out.size();
  for (const char letter : type) out.push_back(static_cast<std::byte>(letter));
  out.insert(out.end(), data.begin(), data.end());
  const auto* checked = reinterpret_cast<const Bytef*>(out.data() + start);
  append_u32(out, static_cast<std::uint32_t>(crc32(0, checked, static_cast<uInt>(out.size() - start))));
}

// Rows of RGB, each after its filter byte. Filter 2 (difference to the row above) suits flat panels and
// halves what deflate leaves of them.
Bytes filtered_rows(const Image& image) {
  const std::size_t stride = static_cast<std::size_t>(image.width) * 3;
  Bytes rows((stride + 1) * static_cast<std::size_t>(image.height));
  std::byte* out = rows.data();
  for (int y = 0; y < image.height; ++y) {
    *out++ = static_cast<std::byte>(y == 0 ? 0 : 2);
    for (int x = 0; x < image.width; ++x) {
      const std::uint8_t* pixel = image.pixel(x, y);
      for (int channel = 0; channel < 3; ++channel) {
        const int above = y == 0 ? 0 : image.pixel(x, y - 1)[channel];
        *out++ = static_cast<std::byte>(pixel[channel] - above);
      }
    }
  }
  return rows;
}

}  // namespace

Image crop(const Image& image, int left, int top, int width, int height) {
  const int x0 = std::clamp(left, 0, image.width);
  const int y0 = std::clamp(top, 0, image.height);
  Image part;
  part.width = std::clamp(left + width, x0, image.width) - x0;
  part.height = std::clamp(top + height, y0, image.height) - y0;
  part.rgba.resize(4 * static_cast<std::size_t>(part.width) * static_cast<std::size_t>(part.height));
  if (part.rgba.empty()) return part;
  for (int y = 0; y < part.height; ++y) {
    std::memcpy(&part.rgba[4 * part.index(0, y)], image.pixel(x0, y0 + y),
                4 * static_cast<std::size_t>(part.width));
  }
  return part;
}

engine::Result<Bytes> encode_png(const Image& image) {
  if (image.width <= 0 || image.height <= 0) return engine::failed("a picture without pixels");
  const Bytes rows = filtered_rows(image);
  uLongf size = compressBound(static_cast<uLong>(rows.size()));
  Bytes packed(size);
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(rows.data()),
                static_cast<uLong>(rows.size()), 6) != Z_OK) {
    return engine::failed("out of memory for a picture of {} x {} pixels", image.width, image.height);
  }
  packed.resize(size);

  Bytes out;
  for (const int byte : {0x89, 'P' + 0, 'N' + 0, 'G' + 0, 0x0d, 0x0a, 0x1a, 0x0a}) {
    out.push_back(static_cast<std::byte>(byte));
  }
  Bytes header;
  append_u32(header, static_cast<std::uint32_t>(image.width));
  append_u32(header, static_cast<std::uint32_t>(image.height));
  // 8 bits a channel, RGB, deflate, the standard filters, not interlaced.
  for (const int byte : {8, 2, 0, 0, 0}) header.push_back(static_cast<std::byte>(byte));
  append_chunk(out, "IHDR", header);
  append_chunk(out, "IDAT", packed);
  append_chunk(out, "IEND", {});
  return out;
}

engine::Status write_png(const std::filesystem::path& path, const Image& image) {
  auto bytes = encode_png(image);
  if (!bytes) return bytes.error();
  auto file = OutputFile::create(path);
  if (!file) return file.error();
  if (auto written = file->write(*bytes); !written) return written;
  return file->commit();
}

}  // namespace app::gui
