#include "app/gui/fonts/fonts.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "app/gui/fonts/embedded.hpp"
#include "app/gui/theme/metrics.hpp"

namespace app::gui {

namespace {

// Outside of these a file is no font: the first is the header of an empty one.
constexpr off_t kMinFontBytes = 128;
constexpr off_t kMaxFontBytes = off_t{256} << 20;

// Merged icons sit in a line of text: a little smaller than its letters, and lower.
enum class Source { face, icons, fallback };

ImFont* add(std::span<const std::byte> file, Face face, Source source) {
  ImFontConfig config;
  config.FontDataOwnedByAtlas = false;
  config.MergeMode = source != Source::face;
  if (source == Source::icons) {
    config.ExtraSizeScale = 0.8F;
    config.GlyphOffset = {0, 1};
  }
  if (source == Source::fallback) config.Flags |= ImFontFlags_NoLoadError;
  auto* data = const_cast<std::byte*>(file.data());  // not written: the atlas does not own it
  return ImGui::GetIO().Fonts->AddFontFromMemoryTTF(data, static_cast<int>(file.size()),
                                                    em_to_line(face, text_size::kBody), &config);
}

// Mapped, not read: a font for Chinese is 20 MB, of which a page of text needs little. Empty if it cannot be.
std::span<const std::byte> map_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  struct stat facts {};
  void* data = MAP_FAILED;
  const bool usable = fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size >= kMinFontBytes &&
                      facts.st_size <= kMaxFontBytes;
  const auto size = static_cast<std::size_t>(facts.st_size);
  if (usable) data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  close(file);
  if (data == MAP_FAILED) return {};
  return {static_cast<const std::byte*>(data), size};
}

// A TrueType or OpenType file, or a collection of them; the rasteriser complains loudly about anything else.
bool is_font(std::span<const std::byte> file) {
  using namespace std::string_view_literals;
  if (file.size() < 4) return false;
  const std::string_view start(reinterpret_cast<const char*>(file.data()), 4);
  return start == "\0\1\0\0"sv || start == "OTTO" || start == "ttcf" || start == "true";
}

}  // namespace

// Ascent and descent over the em, from the fonts' hhea tables: Inter 1.2102, JetBrains Mono 1.32.
float em_to_line(Face face, float em) {
  const bool mono = face == Face::mono || face == Face::mono_strong;
  return em * (mono ? 1.32F : 1.2102F);
}

Fonts::Fonts(const std::vector<std::string>& fallbacks) {
  std::vector<std::string> names;  // of the mapped ones
  for (const std::string& path : fallbacks) {
    const auto file = map_file(path);
    if (!is_font(file)) {
      if (!file.empty()) munmap(const_cast<std::byte*>(file.data()), file.size());
      problems_.push_back(fmt::format("{}: not a font that can be read, left out", path));
    } else {
      mapped_.push_back(file);
      names.push_back(path);
    }
  }
  using namespace embedded;
  const std::array files{inter_regular(), inter_semibold(), inter_bold(), mono_regular(), mono_semibold()};
  for (std::size_t index = 0; index < files.size(); ++index) {
    const Face face = static_cast<Face>(index);
    faces_[index] = add(files[index], face, Source::face);
    // JetBrains Mono has no thin space, which stands between numbers and units.
    if (face == Face::mono || face == Face::mono_strong) add(inter_regular(), face, Source::fallback);
    add(icons(), face, Source::icons);
    // Signs that the mono face lacks, thin spaces above all.
    if (face == Face::mono || face == Face::mono_strong) add(inter_regular(), face, Source::fallback);
    for (std::size_t file = 0; file < mapped_.size(); ++file) {
      if (add(mapped_[file], face, Source::fallback) == nullptr && index == 0)
        problems_.push_back(fmt::format("{}: not a font, left out", names[file]));
    }
  }
  ImGui::GetIO().FontDefault = faces_[0];
}

Fonts::~Fonts() {
  for (const auto file : mapped_) munmap(const_cast<std::byte*>(file.data()), file.size());
}

}  // namespace app::gui
