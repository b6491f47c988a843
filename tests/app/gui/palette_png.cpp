#include "tests/app/gui/palette_png.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace gui_tests {

namespace {

using app::gui::Image;
using Bytes = std::vector<std::uint8_t>;
constexpr std::size_t kColors = 256;
constexpr std::array<std::uint8_t, 8> kSignature{0x89, 'P', 'N', 'G', 0x0d, 0x0a, 0x1a, 0x0a};
// 8 bits an index, palette, deflate, the standard filters, not interlaced.
constexpr std::array<std::uint8_t, 5> kKind{8, 3, 0, 0, 0};

struct Rgb {
  std::uint8_t red = 0, green = 0, blue = 0;
};

// Colours that share the upper five bits of each channel are one.
constexpr std::size_t kBins = 32 * 32 * 32;
std::size_t bin_of(const std::uint8_t* pixel) {
  return static_cast<std::size_t>(((pixel[0] >> 3) << 10) | ((pixel[1] >> 3) << 5) | (pixel[2] >> 3));
}

struct Bin {
  std::uint64_t count = 0, red = 0, green = 0, blue = 0;
  Rgb mean() const {
    return {static_cast<std::uint8_t>(red / count), static_cast<std::uint8_t>(green / count),
            static_cast<std::uint8_t>(blue / count)};
  }
};

std::size_t nearest(const std::vector<Rgb>& palette, Rgb color) {
  std::size_t best = 0;
  int least = std::numeric_limits<int>::max();
  for (std::size_t index = 0; index < palette.size(); ++index) {
    const int red = palette[index].red - color.red, green = palette[index].green - color.green;
    const int blue = palette[index].blue - color.blue;
    const int distance = red * red + green * green + blue * blue;
    if (distance < least) least = distance, best = index;
  }
  return best;
}

// The commonest colours, and for every bin the index of the nearest of them.
std::vector<Rgb> make_palette(const Image& image, std::vector<std::uint8_t>& index_of_bin) {
  std::vector<Bin> bins(kBins);
  for (std::size_t at = 0; at < image.rgba.size(); at += 4) {
    const std::uint8_t* pixel = &image.rgba[at];
    Bin& bin = bins[bin_of(pixel)];
    ++bin.count;
    bin.red += pixel[0];
    bin.green += pixel[1];
    bin.blue += pixel[2];
  }
  std::vector<const Bin*> used;
  for (const Bin& bin : bins) {
    if (bin.count > 0) used.push_back(&bin);
  }
  std::stable_sort(used.begin(), used.end(), [](const Bin* a, const Bin* b) { return a->count > b->count; });
  std::vector<Rgb> palette;
  for (const Bin* bin : used) {
    if (palette.size() < kColors) palette.push_back(bin->mean());
  }
  index_of_bin.assign(kBins, 0);
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    if (bins[bin].count > 0)
      index_of_bin[bin] = static_cast<std::uint8_t>(nearest(palette, bins[bin].mean()));
  }
  return palette;
}

void put_u32(Bytes& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

void put_chunk(Bytes& out, std::string_view type, const Bytes& data) {
  put_u32(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t start = out.size();
  out.insert(out.end(), type.begin(), type.end());
  out.insert(out.end(), data.begin(), data.end());
  put_u32(out, static_cast<std::uint32_t>(crc32(0, &out[start], static_cast<uInt>(out.size() - start))));
}

struct Chunks {
  Bytes header, palette, pixels;
};

engine::Result<Chunks> read_chunks(const Bytes& file) {
  Chunks chunks;
  if (file.size() < kSignature.size() || !std::equal(kSignature.begin(), kSignature.end(), file.begin()))
    return engine::failed("not a PNG");
  for (std::size_t at = kSignature.size(); at + 12 <= file.size();) {
    const auto byte = [&](std::size_t index) { return static_cast<std::size_t>(file[index]); };
    const std::size_t size = byte(at) << 24 | byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3);
    if (size > file.size() - at - 12) return engine::failed("cut short");
    const std::string type(file.begin() + static_cast<std::ptrdiff_t>(at + 4),
                           file.begin() + static_cast<std::ptrdiff_t>(at + 8));
    const Bytes data(file.begin() + static_cast<std::ptrdiff_t>(at + 8),
                     file.begin() + static_cast<std::ptrdiff_t>(at + 8 + size));
    if (type == "IHDR") chunks.header = data;
    if (type == "PLTE") chunks.palette = data;
    if (type == "IDAT") chunks.pixels.insert(chunks.pixels.end(), data.begin(), data.end());
    at += size + 12;
  }
  return chunks;
}

engine::Result<Image> decode(const Bytes& file) {
  const auto chunks = read_chunks(file);
  if (!chunks) return chunks.error();
  const Bytes& header = chunks->header;
  if (header.size() != 13 || !std::equal(kKind.begin(), kKind.end(), header.begin() + 8))
    return engine::failed("not a PNG with a palette, 8 bits a pixel and no interlacing");
  // A golden picture is no larger than this: two bytes are enough for each side.
  Image image{header[2] << 8 | header[3], header[6] << 8 | header[7], {}};
  const auto width = static_cast<std::size_t>(image.width), height = static_cast<std::size_t>(image.height);
  Bytes rows((width + 1) * height);
  uLongf size = rows.size();
  if (uncompress(rows.data(), &size, chunks->pixels.data(), chunks->pixels.size()) != Z_OK ||
      size != rows.size())
    return engine::failed("its pixels are damaged");
  for (std::size_t y = 0; y < height; ++y) {
    if (rows[y * (width + 1)] != 0) return engine::failed("its rows are filtered");
    for (std::size_t x = 0; x < width; ++x) {
      const std::size_t index = rows[y * (width + 1) + 1 + x];
      if (3 * index + 2 >= chunks->palette.size()) return engine::failed("a pixel is not in the palette");
      const std::uint8_t* color = &chunks->palette[3 * index];
      image.rgba.insert(image.rgba.end(), {color[0], color[1], color[2], 255});
    }
  }
  return image;
}

}  // namespace

engine::Status write_palette_png(const std::filesystem::path& path, const Image& image) {
  std::vector<std::uint8_t> index_of_bin;
  const std::vector<Rgb> palette = make_palette(image, index_of_bin);
  Bytes rows;
  for (int y = 0; y < image.height; ++y) {
    rows.push_back(0);  // no filter: indices of neighbours say nothing about each other
    for (int x = 0; x < image.width; ++x) rows.push_back(index_of_bin[bin_of(image.pixel(x, y))]);
  }
  uLongf size = compressBound(rows.size());
  Bytes packed(size);
  if (compress2(packed.data(), &size, rows.data(), rows.size(), Z_BEST_COMPRESSION) != Z_OK)
    return engine::failed("{}: out of memory", path.string());
  packed.resize(size);
  Bytes header, colors, file(kSignature.begin(), kSignature.end());
  put_u32(header, static_cast<std::uint32_t>(image.width));
  put_u32(header, static_cast<std::uint32_t>(image.height));
  header.insert(header.end(), kKind.begin(), kKind.end());
  for (const Rgb& color : palette) colors.insert(colors.end(), {color.red, color.green, color.blue});
  put_chunk(file, "IHDR", header);
  put_chunk(file, "PLTE", colors);
  put_chunk(file, "IDAT", packed);
  put_chunk(file, "IEND", {});
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
  if (!out.flush()) return engine::failed("{}: cannot be written", path.string());
  return {};
}

engine::Result<Image> read_palette_png(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return engine::failed("{}: cannot be read", path.string());
  const Bytes file{std::istreambuf_iterator<char>(in), {}};
  auto image = decode(file);
  if (!image) return engine::failed("{}: {}", path.string(), image.error().message);
  return image;
}

}  // namespace gui_tests
